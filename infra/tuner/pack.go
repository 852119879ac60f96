package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
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
	binary, err := os.ReadFile(programs[0])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	packed, err := zipped(binary)
	if err == nil {
		err = os.WriteFile(filepath.Join(out, program), packed, 0o644)
	}
	return errors.Join(err, os.WriteFile(filepath.Join(out, "template.json"), template, 0o644))
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

// zipped is the program as a deployment package, the same bytes each time.
func zipped(binary []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o755)
	f, err := w.CreateHeader(header)
	if err == nil {
		_, err = f.Write(binary)
	}
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}
