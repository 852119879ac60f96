package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// documents are what the API keeps for functions besides their configuration: aliases, or URLs. A key is NAME:ALIAS, or
// NAME:QUALIFIER for a URL.
type documents[T any] struct {
	mu  sync.Mutex
	all map[string]T
}

// change creates (POST), returns (GET), changes (PUT) or deletes a document. make returns the new one, given the old
// one.
func (d *documents[T]) change(method, key string, make func(before T) (T, error)) (T, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, there := d.all[key]
	switch {
	case method == http.MethodPost && there:
		return before, Conflict("The resource exists already: " + key)
	case method != http.MethodPost && !there:
		return before, Absent("The resource you requested does not exist: " + key)
	case method == http.MethodGet:
		return before, nil
	case method == http.MethodDelete:
		delete(d.all, key)
		return before, nil
	}
	made, err := make(before)
	if err == nil {
		d.all[key] = made
	}
	return made, err
}

func (d *documents[T]) get(key string) (T, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one, ok := d.all[key]
	return one, ok
}

// of returns the documents of a function in the order of their keys.
func (d *documents[T]) of(function string) []T {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := []T{}
	for _, key := range slices.Sorted(maps.Keys(d.all)) {
		if strings.HasPrefix(key, function+":") {
			all = append(all, d.all[key])
		}
	}
	return all
}

func (d *documents[T]) drop(function string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.all, func(key string, _ T) bool { return strings.HasPrefix(key, function+":") })
}
