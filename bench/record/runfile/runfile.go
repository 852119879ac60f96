// Package runfile is run.json: what a repeat of a run needs, beside the run's records.
package runfile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// Name is the file's name, beside records.jsonl.
const Name = "run.json"

// Schema is the version of the format.
const Schema = 1

// Run is written when a run starts and completed when it ends. EndedAt is absent where it was killed.
type Run struct {
	Schema      int           `json:"schema"`
	RunID       string        `json:"runId"`
	Experiment  string        `json:"experiment,omitempty"`
	Source      record.Source `json:"source"`
	Region      string        `json:"region,omitempty"`
	StartedAt   time.Time     `json:"startedAt"`
	EndedAt     time.Time     `json:"endedAt,omitzero"`
	Interrupted bool          `json:"interrupted,omitempty"` // ended by Ctrl-C; --resume goes on
	Resumed     int           `json:"resumed,omitempty"`     // how often

	Seed    uint64         `json:"seed"`
	Command []string       `json:"command,omitempty"` // as typed, to repeat it
	Options map[string]any `json:"options,omitempty"` // every setting that changes a figure: cold, warm, pace, init-cpu, read-ahead

	Sequential *Sequential `json:"sequential,omitempty"` // where the run was to stop by its own results

	Versions     map[string]string `json:"versions,omitempty"`     // twinstart, go, bash, kernel, ...
	AssetDigests map[string]string `json:"assetDigests,omitempty"` // arm -> digest of its deployment package
	Machine      *Machine          `json:"machine,omitempty"`

	Deployed      map[string]Deployed `json:"deployed,omitempty"`      // AWS: what Lambda said that arms are, by arm@memory
	DeployedAtEnd map[string]Deployed `json:"deployedAtEnd,omitempty"` // of them, those that are something else by the end

	NotMeasured []arm.NotMeasured `json:"notMeasured,omitempty"`
	Warnings    []string          `json:"warnings,omitempty"` // what reports must show: no cgroup, warm page cache, ...
}

// Sequential is how a run that stops by its own results kept its error rate.
type Sequential struct {
	Clock   string  `json:"clock"`
	Alpha   float64 `json:"alpha"`             // of the whole run
	Rounds  int     `json:"rounds"`            // at most
	Looks   int     `json:"looks"`             // taken
	Ended   int     `json:"ended,omitempty"`   // after which round; 0: not yet
	Stopped bool    `json:"stopped,omitempty"` // before the most, because the winner was certain
	Level   float64 `json:"level"`             // at which the last look, and so any report, tells arms apart
}

// Path is where the run.json of a file of records lies.
func Path(records string) string { return filepath.Join(filepath.Dir(records), Name) }

// Load reads a run.json. Where there is none it returns nil and no error: records stand for themselves.
func Load(path string) (*Run, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r Run
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if r.Schema > Schema {
		return nil, fmt.Errorf("%s has schema %d, newer than this twinstart reads (%d): update twinstart", path, r.Schema, Schema)
	}
	return &r, nil
}

// Save replaces the file as a whole, so that a reader, or a crash, never meets half of it.
func (r *Run) Save(path string) error {
	r.Schema = cmp.Or(r.Schema, Schema)
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".run-*.json")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(data, '\n'))
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
