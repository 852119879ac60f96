// Package runfile is run.json: what a repeat of a run needs, beside the run's records.
package runfile

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

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

// Deployed is a function as Lambda says that it is, whatever lies on disk. https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
type Deployed struct {
	Function       string `json:"function"`
	Architecture   string `json:"architecture"`
	MemorySizeMB   int    `json:"memorySizeMB"`
	PackageType    string `json:"packageType"`              // Zip or Image
	CodeSizeBytes  int64  `json:"codeSizeBytes,omitempty"`  // Zip only
	CodeSHA256     string `json:"codeSha256,omitempty"`     // base64 of the ZIP's; of an image as Lambda has it
	Image          string `json:"image,omitempty"`          // by digest
	RuntimeVersion string `json:"runtimeVersion,omitempty"` // ARN of the managed runtime's; Lambda replaces it by and by
}

// Differs says what of d has changed, "" for nothing. What one of them does not say counts as equal.
func (d Deployed) Differs(was Deployed) string {
	var all []string
	for _, f := range [][3]string{
		{"architecture", d.Architecture, was.Architecture}, {"memory", strconv.Itoa(d.MemorySizeMB), strconv.Itoa(was.MemorySizeMB)}, {"package type", d.PackageType, was.PackageType},
		{"code", d.CodeSHA256, was.CodeSHA256}, {"image", d.Image, was.Image}, {"runtime version", d.RuntimeVersion, was.RuntimeVersion},
	} {
		if f[1] != f[2] && f[1] != "" && f[2] != "" {
			all = append(all, f[0]+" is "+f[1]+", not "+f[2])
		}
	}
	return strings.Join(all, ", ")
}

// LockName is the file in a run's folder that the process measuring into it holds locked. It stays there: a lock ends with its process,
// however that ends, and a file that is removed could be locked by two.
const LockName = ".lock"

// Lock keeps a folder to one run at a time, so that two do not write into the same files. The error names the process that has it.
func Lock(dir string) (release func() error, err error) {
	file := flock.New(filepath.Join(dir, LockName), flock.SetFlag(os.O_RDWR|os.O_CREATE), flock.SetPermissions(0o644))
	held, err := file.TryLock()
	if err == nil && !held {
		holder, _ := os.ReadFile(file.Path())
		return nil, fmt.Errorf("another run (process %s) is measuring into %s: wait for it, or choose another --out", strings.TrimSpace(string(holder)), dir)
	}
	if err == nil {
		err = os.WriteFile(file.Path(), fmt.Appendln(nil, os.Getpid()), 0o644)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), file.Close())
	}
	return file.Close, nil
}

// Machine is where a lab run took place, or where an AWS run was called from.
type Machine struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"` // Go's name
	Kernel       string `json:"kernel,omitempty"`
	CPU          string `json:"cpu,omitempty"`
	CPUs         int    `json:"cpus"`
	MemoryMB     int    `json:"memoryMB,omitempty"`
}

// ThisMachine describes this machine; what the system does not tell is absent. It holds no host name.
func ThisMachine() *Machine {
	m := &Machine{OS: runtime.GOOS, Architecture: runtime.GOARCH, CPUs: runtime.NumCPU()}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(b))
	}
	m.CPU = value("/proc/cpuinfo", "model name")
	kib, _, _ := strings.Cut(value("/proc/meminfo", "MemTotal"), " ")
	n, _ := strconv.Atoi(kib) // 0: not told
	m.MemoryMB = n / 1024
	return m
}

// value is the first "key : value" of a file of the /proc file system.
func value(path, key string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
