package dynamo

import (
	_ "embed"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// expression is a KeyConditionExpression.
type expression struct {
	Conditions []condition `parser:"@@ ('AND' @@)*"`
}

// condition is what an expression asks of one key, or several conditions in parentheses.
type condition struct {
	Group    *expression `parser:"'(' @@ ')'"`
	Call     *call       `parser:"| 'begins_with' '(' @@ ')'"`
	Key      string      `parser:"| @(Name | Word)"`
	Operator string      `parser:"@('=' | '<' | '<=' | '>' | '>=' | 'BETWEEN')"`
	Operands []string    `parser:"@Value ('AND' @Value)?"`
}

// call holds the arguments of begins_with.
type call struct {
	Key     string `parser:"@(Name | Word) ','"`
	Operand string `parser:"@Value"`
}

var grammar = participle.MustBuild[expression](participle.CaseInsensitive("Word"), participle.UseLookahead(2), participle.Lexer(lexer.MustSimple([]lexer.SimpleRule{
	{Name: "Name", Pattern: `#[A-Za-z0-9_]+`}, {Name: "Value", Pattern: `:[A-Za-z0-9_]+`}, {Name: "Word", Pattern: `[A-Za-z][A-Za-z0-9_]*`},
	{Name: "Sign", Pattern: `<=|>=|[=<>(),]`}, {Name: "space", Pattern: `\s+`},
})))

// reserved are words that AWS's documentation (ReservedWords.html) keeps from being attributes in an expression.
//
//go:embed reserved.txt
var reserved string

var reservedWords = strings.Fields(reserved)

// asked is what a query asks of one key.
type asked struct {
	operator string // =, <, <=, >, >=, BETWEEN or begins
	operands []any
}

// parse returns what an expression asks, by attribute.
func parse(text string, names map[string]string, values item) map[string]asked {
	if len(text) > 4096 {
		refuse("Invalid KeyConditionExpression: Expression size has exceeded the maximum allowed size")
	}
	tree, err := grammar.ParseString("", text)
	if err != nil {
		refuse("Invalid KeyConditionExpression: Syntax error; %v", err)
	}
	found, unused := map[string]asked{}, slices.Concat(slices.Collect(maps.Keys(names)), slices.Collect(maps.Keys(values)))
	use := func(name string, defined bool) {
		if !defined {
			refuse("Invalid KeyConditionExpression: An expression attribute name or value used in expression is not defined: %s", name)
		}
		unused = slices.DeleteFunc(unused, func(u string) bool { return u == name })
	}
	var collect func(*expression)
	collect = func(e *expression) {
		for _, c := range e.Conditions {
			switch {
			case c.Group != nil:
				collect(c.Group)
				continue
			case c.Call != nil:
				c.Key, c.Operator, c.Operands = c.Call.Key, begins, []string{c.Call.Operand}
			}
			key := c.Key
			if strings.HasPrefix(key, "#") {
				use(key, names[key] != "")
				key = names[key]
			} else if slices.Contains(reservedWords, strings.ToUpper(key)) {
				refuse("Invalid KeyConditionExpression: Attribute name is a reserved keyword; reserved keyword: %s", key)
			}
			if _, twice := found[key]; twice || (len(c.Operands) == 2) != strings.EqualFold(c.Operator, "BETWEEN") {
				refuse("Invalid KeyConditionExpression: one condition per key, and two values for BETWEEN alone")
			}
			a := asked{operator: strings.ToUpper(c.Operator)}
			for _, name := range c.Operands {
				v, defined := values[name]
				use(name, defined)
				a.operands = append(a.operands, v)
			}
			found[key] = a
		}
	}
	if collect(tree); len(unused) > 0 {
		refuse("Value provided in ExpressionAttributeNames or ExpressionAttributeValues unused in expressions: keys: {%s}", strings.Join(unused, ", "))
	}
	return found
}
