package handler_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/packages/handler"
)

// A handler's folder is checked before it is packed.
func ExampleHandler_Check() {
	dir, err := os.MkdirTemp(".", "handler-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	_ = os.WriteFile(filepath.Join(dir, "handler.sh"), []byte("run() { echo \"$1\"; }\n"), 0o600)
	for _, name := range []string{"handler.run", "handler.go", "handler"} {
		_, err = handler.Handler{Dir: dir, Name: name}.Check()
		fmt.Println(strings.ReplaceAll(fmt.Sprint(err), filepath.Clean(dir)+"/", ""))
	}
	// Output:
	// <nil>
	// handler "handler.go": handler.sh has no function go (it has run): define it or correct the handler's name
	// handler "handler": there is no executable handler: create it, or write "file.function"
}
