package assembly

import (
	"embed"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/packages/archive"
)

// maxInline is how much code a template may have.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html
const maxInline = 4 << 20

// modules lie beside inline code that names them.
//
//go:embed inline
var modules embed.FS

// inline makes a package of code inside a template, with the file name that CloudFormation gives it.
func inline(runtime, code string) (dir string, size int64, err error) {
	file, module := "index.js", "cfn-response.js"
	switch {
	case strings.HasPrefix(runtime, "python"):
		file, module = "index.py", "cfnresponse.py"
	case !strings.HasPrefix(runtime, "nodejs"):
		return "", 0, fmt.Errorf("CloudFormation takes code inside the template (ZipFile) for nodejs and python, not for %q: make it an asset", runtime)
	}
	if len(code) > maxInline {
		return "", 0, fmt.Errorf("code inside the template (ZipFile) has %d bytes, and at most %d are taken: make it an asset", len(code), maxInline)
	}
	files := map[string][]byte{file: []byte(code)}
	if name, _, _ := strings.Cut(module, "."); strings.Contains(code, name) {
		files[module], _ = modules.ReadFile("inline/" + module) // embedded
	}
	parent, err := archive.Cache("inline")
	if err != nil {
		return "", 0, err
	}
	dir, err = archive.Keep(parent, func(dir string) (err error) {
		for name, text := range files {
			err = errors.Join(err, archive.ReplaceFile(filepath.Join(dir, name), 0o644, text))
			size += int64(len(text))
		}
		return err
	})
	return dir, size, err
}
