package archive_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/packages/archive"
)

// A reader sees the old file or the new one, even if the writer is interrupted.
func ExampleReplaceFile() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "index.json")
	for _, text := range []string{"old", "new"} {
		if err := archive.ReplaceFile(name, 0o600, []byte(text)); err != nil {
			fmt.Println(err)
		}
	}
	text, _ := os.ReadFile(name)
	size, _ := archive.Size(dir)
	fmt.Printf("%s, %d bytes in the folder\n", text, size)
	// Output: new, 3 bytes in the folder
}
