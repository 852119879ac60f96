package main

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// TestFlagsHaveHelp checks that every flag and argument has a text in flags.yaml, and that every text there has a flag.
func TestFlagsHaveHelp(t *testing.T) {
	parser, err := kong.New(&cli{}, kong.Vars{"version": ""})
	if err == nil {
		err = describe(parser.Model.Children)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := help.ReadFile("help/flags.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]map[string]string
	if err := yaml.Unmarshal(text, &texts); err != nil {
		t.Fatal(err)
	}
	for _, c := range parser.Model.Children {
		if delete(texts["commands"], c.Name); c.Help == "" {
			t.Errorf("%s has no help in flags.yaml", c.Name)
		}
		values := slices.Clone(c.Positional)
		for _, f := range c.Flags {
			values = append(values, f.Value)
		}
		for _, v := range values {
			if v.Help == "" {
				t.Errorf("%s %s has no help in flags.yaml", c.Name, v.Summary())
			}
			if _, own := texts[c.Name][v.Name]; own {
				delete(texts[c.Name], v.Name)
			} else {
				texts["all"][v.Name] = ""
			}
		}
	}
	for command, left := range texts {
		for name, text := range left {
			if text != "" {
				t.Errorf("flags.yaml says what %s of %s is, which does not exist", name, command)
			}
		}
	}
}
