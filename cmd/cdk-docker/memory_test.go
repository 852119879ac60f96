package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/twinstart/twinstart/tools/need"
)

// A big file passes through: memory does not grow with it.
func TestABigFileIsStreamed(t *testing.T) {
	need.Time(t)
	host := newRegistry(t, "")
	c := newCommand(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n"})
	c.ok("build", "--tag", "small", ".")
	small := c.memory()
	noise(t, filepath.Join(c.dir, "big"), bigFile)
	c.ok("build", "--tag", host+"/big:1", ".")
	build := c.memory()
	c.ok("push", host+"/big:1")
	push := c.memory()
	t.Logf("bytes of memory: %d for an empty image; for one of %d %d to build, %d to push", small, bigFile, build, push)
	if most := max(build, push); most > small+bigFile/4 {
		t.Errorf("%d bytes of memory, %d for an empty image: the file is held in memory", most, small)
	}
	ref, err := name.ParseReference(host + "/big:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Head(ref); err != nil {
		t.Error(err)
	}
}

// noise writes bytes that do not compress: a linear congruential generator's upper ones.
func noise(t *testing.T, name string, size int) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 1<<16)
	for state, left := uint64(1), size; left > 0; left -= len(block) {
		block = block[:min(len(block), left)]
		for i := range block {
			state = state*6364136223846793005 + 1442695040888963407
			block[i] = byte(state >> 56)
		}
		if _, err := f.Write(block); err != nil {
			t.Fatal(err)
		}
	}
}
