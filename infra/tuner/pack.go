package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/packages"
)

// pack makes of the assembly what CloudFormation, SAM and Terraform take: template.json, and beside it the program.
func pack(assembly, out string) error {
	template, err := template(filepath.Join(assembly, stackName+".template.json"))
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	programs, err := filepath.Glob(filepath.Join(assembly, "asset.*", "bootstrap"))
	if err == nil && len(programs) != 1 {
		err = fmt.Errorf("%d assets with a bootstrap, one was expected", len(programs))
	}
	if err != nil {
		return fmt.Errorf("finding the program in %s: %w", assembly, err)
	}
	if err := packages.ZIPOf(filepath.Join(out, program), programs[0]); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "template.json"), template, 0o644)
}

// template is CDK's without what only CDK reads.
func template(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var document struct {
		Description string                    `json:",omitempty"`
		Parameters  map[string]any            `json:",omitempty"`
		Resources   map[string]map[string]any `json:",omitempty"`
		Outputs     map[string]any            `json:",omitempty"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	delete(document.Parameters, "BootstrapVersion")
	for _, r := range document.Resources {
		delete(r, "Metadata")
	}
	return json.MarshalIndent(document, "", "  ")
}
