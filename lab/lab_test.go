package lab_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
)

func TestMain(m *testing.M) {
	lab.MaybeRunChild()
	code := m.Run()
	if path, err := bootstrap(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func TestInvoke(t *testing.T) {
	dir := writeAssembly(t, spec{id: "Echo", files: map[string]string{"bootstrap": builtBootstrap(t)}})
	l, err := lab.New(context.Background(), lab.Options{Assembly: dir, ReadAheadKiB: lab.DefaultReadAheadKiB})
	must(t, err)
	defer l.Close()
	r, err := l.Invoke(context.Background(), "Echo", api.Invocation{Payload: []byte(`{"a":1}`)})
	must(t, err)
	if string(r.Payload) != `{"a":1}` {
		t.Errorf("got %s", r.Payload)
	}
}
