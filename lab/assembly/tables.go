package assembly

import (
	"encoding/json"
	"fmt"
)

// Table is an AWS::DynamoDB::Table or GlobalTable of the template.
type Table struct {
	TableName              string
	AttributeDefinitions   []Attribute
	KeySchema              []Key
	GlobalSecondaryIndexes []Index
	Import                 string `json:"-"` // path of a CSV file with its first items; "" for none
	Unread                 error  `json:"-"` // why the lab cannot serve the template's table; nil if it can
}

// Attribute gives the type of an attribute that is a key: S, N or B.
type Attribute struct{ AttributeName, AttributeType string }

// Key is a part of a key: the partition key (KeyType HASH) or the sort key (RANGE).
type Key struct{ AttributeName, KeyType string }

// Index is a secondary index of a table.
type Index struct {
	IndexName  string
	KeySchema  []Key
	Projection Projection
}

// Projection says which attributes an index has.
type Projection struct{ ProjectionType string }

// TableARN returns the ARN of a table in the lab.
func TableARN(name string) string {
	return "arn:aws:dynamodb:" + Region + ":" + Account + ":table/" + name
}

// isTable reports whether a resource is a table of DynamoDB.
func isTable(r resource) bool {
	return r.Type == "AWS::DynamoDB::Table" || r.Type == "AWS::DynamoDB::GlobalTable"
}

// readTable reads a table. All properties except the name must be plain text.
func (s scope) readTable(logicalID string, r resource, assets assets) Table {
	var p struct {
		Table
		TableName                 any
		ImportSourceSpecification *struct {
			InputFormat    string
			S3BucketSource struct{ S3KeyPrefix string }
		}
	}
	p.Unread = json.Unmarshal(r.Properties, &p)
	if from := p.ImportSourceSpecification; p.Unread == nil && from != nil {
		if p.Import, _, p.Unread = assets.file(from.S3BucketSource.S3KeyPrefix); from.InputFormat != "CSV" {
			p.Unread = fmt.Errorf("the lab imports items as CSV, not as %s: convert the file", from.InputFormat)
		}
	}
	for _, key := range p.AttributeDefinitions {
		if p.Unread == nil && key.AttributeType != "S" {
			p.Unread = fmt.Errorf("its key %s is of type %s, but the lab's tables have keys of type S only: name another "+
				"DynamoDB with --allow dynamodb=URL", key.AttributeName, key.AttributeType)
		}
	}
	p.Table.TableName = s.name(logicalID, r)
	return p.Table
}
