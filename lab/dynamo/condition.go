package dynamo

import (
	_ "embed"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// expressions are the conditions of a KeyConditionExpression.
type expressions struct {
	Conditions []condition `parser:"@@ ('AND' @@)*"`
}

// condition is a condition for one key, or a group of conditions in parentheses.
type condition struct {
	Group    *expressions `parser:"'(' @@ ')'"`
	Call     *call        `parser:"| 'begins_with' '(' @@ ')'"`
	Key      string       `parser:"| @(Name | Word)"`
	Operator string       `parser:"@('=' | '<' | '<=' | '>' | '>=' | 'BETWEEN')"`
	Operands []string     `parser:"@Value ('AND' @Value)?"`
}

// call holds the arguments of begins_with.
type call struct {
	Key     string `parser:"@(Name | Word) ','"`
	Operand string `parser:"@Value"`
}

var grammar = participle.MustBuild[expressions](participle.CaseInsensitive("Word"), participle.UseLookahead(2),
	participle.Lexer(lexer.MustSimple([]lexer.SimpleRule{
		{Name: "Name", Pattern: `#[A-Za-z0-9_]+`}, {Name: "Value", Pattern: `:[A-Za-z0-9_]+`},
		{Name: "Word", Pattern: `[A-Za-z][A-Za-z0-9_]*`}, {Name: "Sign", Pattern: `<=|>=|[=<>(),]`},
		{Name: "space", Pattern: `\s+`},
	})))

// reserved has the words that cannot be attributes in an expression (ReservedWords.html in AWS's documentation).
//
//go:embed reserved.txt
var reserved string

var reservedWords = strings.Fields(reserved)

// begins is the operator begins_with, in capitals like the others.
const begins = "BEGINS_WITH"

// parse returns the conditions of an expression by attribute. Their operands are values of type S, not placeholders.
func parse(expression string, names map[string]string, values item) map[string]condition {
	if len(expression) > 4096 {
		refuse("Invalid KeyConditionExpression: Expression size has exceeded the maximum allowed size")
	}
	tree, err := grammar.ParseString("", expression)
	if err != nil {
		refuse("Invalid KeyConditionExpression: Syntax error; %v", err)
	}
	found := map[string]condition{}
	unused := slices.AppendSeq(slices.Collect(maps.Keys(names)), maps.Keys(values))
	use := func(name string, defined bool) {
		if !defined {
			refuse("Invalid KeyConditionExpression: An expression attribute name or value used in expression is not "+
				"defined: %s", name)
		}
		unused = slices.DeleteFunc(unused, func(u string) bool { return u == name })
	}
	var collect func(*expressions)
	collect = func(e *expressions) {
		for _, c := range e.Conditions {
			if c.Group != nil {
				collect(c.Group)
				continue
			}
			if c.Call != nil {
				c = condition{Key: c.Call.Key, Operator: begins, Operands: []string{c.Call.Operand}}
			}
			if strings.HasPrefix(c.Key, "#") {
				use(c.Key, names[c.Key] != "")
				c.Key = names[c.Key]
			} else if slices.Contains(reservedWords, strings.ToUpper(c.Key)) {
				refuse("Invalid KeyConditionExpression: Attribute name is a reserved keyword; reserved keyword: %s", c.Key)
			}
			c.Operator = strings.ToUpper(c.Operator)
			if _, twice := found[c.Key]; twice || (len(c.Operands) == 2) != (c.Operator == "BETWEEN") {
				refuse("Invalid KeyConditionExpression: one condition per key, and two values only for BETWEEN")
			}
			for i, name := range c.Operands {
				v, defined := values[name]
				use(name, defined)
				if c.Operands[i], _ = text(v); c.Operands[i] == "" {
					refuse("One or more parameter values were invalid: Condition parameter type does not match schema "+
						"type S, or is empty: %s", name)
				}
			}
			found[c.Key] = c
		}
	}
	if collect(tree); len(unused) > 0 {
		refuse("Value provided in ExpressionAttributeNames or ExpressionAttributeValues unused in expressions: keys: {%s}",
			strings.Join(unused, ", "))
	}
	return found
}
