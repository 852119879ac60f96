package assembly

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// scope resolves CloudFormation's intrinsic functions as far as one machine can. A reference to another resource
// becomes its logical ID, or an ARN with that ID.
type scope struct {
	stack      string
	resources  map[string]resource
	parameters map[string]any // default value of each parameter
}

func (s scope) text(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				return s.call(name, argument)
			}
		}
	}
	return "", fmt.Errorf("the lab cannot read %v as text", v)
}

func (s scope) call(name string, argument any) (string, error) {
	text, isText := argument.(string)
	list, _ := argument.([]any)
	switch {
	case name == "Ref" && isText:
		return s.ref(text)
	case name == "Fn::Sub" && isText:
		return s.substitute(text)
	case name == "Fn::GetAtt" && len(list) == 2:
		return s.attribute(fmt.Sprint(list[0]), fmt.Sprint(list[1]))
	case name == "Fn::Join" && len(list) == 2:
		separator, isText := list[0].(string)
		if parts, isList := list[1].([]any); isText && isList {
			return s.join(separator, parts)
		}
	}
	return "", fmt.Errorf("the lab cannot resolve %s %v", name, argument)
}

func (s scope) join(separator string, list []any) (string, error) {
	parts := make([]string, len(list))
	for i, item := range list {
		part, err := s.text(item)
		if err != nil {
			return "", err
		}
		parts[i] = part
	}
	return strings.Join(parts, separator), nil
}

var placeholder = regexp.MustCompile(`\$\{([^}]+)\}`)

func (s scope) substitute(text string) (string, error) {
	var failure error
	out := placeholder.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		if strings.HasPrefix(name, "!") { // ${!Literal} means the text ${Literal}
			return "${" + name[1:] + "}"
		}
		var value string
		var err error
		if id, attribute, ok := strings.Cut(name, "."); ok {
			value, err = s.attribute(id, attribute)
		} else {
			value, err = s.ref(name)
		}
		failure = cmp.Or(failure, err)
		return value
	})
	return out, failure
}

// Account and Region are the lab's. SDKs look up endpoints by region, so the region must exist on AWS.
const (
	Account = "000000000000"
	Region  = "us-east-1"
)

// ARN returns the ARN of a function in the lab.
func ARN(name string) string {
	return "arn:aws:lambda:" + Region + ":" + Account + ":function:" + name
}

func (s scope) ref(id string) (string, error) {
	pseudo := map[string]string{"AWS::AccountId": Account, "AWS::Region": Region, "AWS::Partition": "aws",
		"AWS::URLSuffix": "amazonaws.com", "AWS::StackName": s.stack}
	if value, ok := pseudo[id]; ok {
		return value, nil
	}
	if r, ok := s.resources[id]; ok {
		return s.name(id, r), nil
	}
	if value := s.parameters[id]; value != nil {
		return s.text(value)
	}
	return "", fmt.Errorf("the lab cannot resolve Ref %s: no such resource", id)
}

// name returns a resource's name in the lab: the name that the template gives to a function or table, if that is plain
// text, else the logical ID.
func (s scope) name(id string, r resource) string {
	var own struct{ FunctionName, TableName any }
	if json.Unmarshal(r.Properties, &own) != nil || r.Type != "AWS::Lambda::Function" && !isTable(r) {
		return id
	}
	function, _ := own.FunctionName.(string)
	table, _ := own.TableName.(string)
	return cmp.Or(function, table, id)
}

// attribute resolves Fn::GetAtt.
func (s scope) attribute(id, attribute string) (string, error) {
	r, ok := s.resources[id]
	switch {
	case !ok:
		return "", fmt.Errorf("the lab cannot resolve Fn::GetAtt %s.%s: no such resource", id, attribute)
	case r.Type == "AWS::Lambda::Function" && attribute == "Arn":
		return ARN(s.name(id, r)), nil
	case r.Type == "AWS::IAM::Role" && attribute == "Arn":
		return "arn:aws:iam::" + Account + ":role/" + id, nil
	case isTable(r) && attribute == "Arn":
		return TableARN(s.name(id, r)), nil
	case attribute == "Arn":
		service := strings.ToLower(strings.Split(r.Type+"::", "::")[1])
		return "arn:aws:" + service + ":" + Region + ":" + Account + ":" + id, nil
	}
	return id + "." + attribute, nil
}
