// Package runfile reads and writes run.json: what is needed, besides the records, to repeat a run and to report on it.
package runfile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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

// Run is written when a run starts and completed when it ends. If the run was killed, EndedAt is missing.
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
	Options map[string]any `json:"options,omitempty"` // every setting that affects figures: cold, warm, pace, ...

	Sequential *Sequential `json:"sequential,omitempty"` // set if the run was to stop by its own results

	Versions     map[string]string `json:"versions,omitempty"`     // twinstart, go, bash, kernel, ...
	AssetDigests map[string]string `json:"assetDigests,omitempty"` // arm -> digest of its deployment package
	Machine      *Machine          `json:"machine,omitempty"`

	Deployed      map[string]Deployed `json:"deployed,omitempty"`      // AWS: Lambda's data about the arms, by arm@memory
	DeployedAtEnd map[string]Deployed `json:"deployedAtEnd,omitempty"` // the arms that changed during the run

	NotMeasured []arm.NotMeasured `json:"notMeasured,omitempty"`
	Warnings    []string          `json:"warnings,omitempty"` // warnings for reports: no cgroup, warm page cache, ...
}

// Sequential says how a run that stops by its own results kept its error rate.
type Sequential struct {
	Clock   string  `json:"clock"`
	Alpha   float64 `json:"alpha"`             // of the whole run
	Rounds  int     `json:"rounds"`            // at most
	Looks   int     `json:"looks"`             // taken
	Ended   int     `json:"ended,omitempty"`   // the round after which it ended; 0 if it has not
	Stopped bool    `json:"stopped,omitempty"` // it ended early, because the winner was certain
	Level   float64 `json:"level"`             // level of the last look; reports tell arms apart at this level
}

// Path returns the path of the run.json beside a file of records.
func Path(records string) string { return filepath.Join(filepath.Dir(records), Name) }

// Load reads a run.json. If there is none, it returns nil and no error.
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
		return nil, fmt.Errorf("reading %s: %w: restore the file, or move it and measure again", path, err)
	}
	if r.Schema > Schema {
		return nil, fmt.Errorf("%s has schema %d, newer than this twinstart reads (%d): update twinstart",
			path, r.Schema, Schema)
	}
	return &r, nil
}

// Save replaces the file as a whole, so that no reader sees half of it, even if this process is killed. It does not use
// packages/archive, because bench links no package of packages.
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

// Deployed is a function as Lambda describes it. See
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html.
type Deployed struct {
	Function       string `json:"function"`
	Architecture   string `json:"architecture"`
	MemorySizeMB   int    `json:"memorySizeMB"`
	PackageType    string `json:"packageType"`              // Zip or Image
	CodeSizeBytes  int64  `json:"codeSizeBytes,omitempty"`  // Zip only
	CodeSHA256     string `json:"codeSha256,omitempty"`     // base64 for a ZIP; for an image as Lambda reports it
	Image          string `json:"image,omitempty"`          // by digest
	RuntimeVersion string `json:"runtimeVersion,omitempty"` // ARN of the managed runtime's version, which Lambda updates
}

// Differs describes the differences of d from was; "" means none. A field that is empty in one of them counts as equal.
func (d Deployed) Differs(was Deployed) string {
	var all []string
	for _, f := range [][3]string{
		{"architecture", d.Architecture, was.Architecture},
		{"memory", strconv.Itoa(d.MemorySizeMB), strconv.Itoa(was.MemorySizeMB)},
		{"package type", d.PackageType, was.PackageType}, {"code", d.CodeSHA256, was.CodeSHA256},
		{"image", d.Image, was.Image}, {"runtime version", d.RuntimeVersion, was.RuntimeVersion},
	} {
		if f[1] != f[2] && f[1] != "" && f[2] != "" {
			all = append(all, f[0]+" is "+f[1]+", not "+f[2])
		}
	}
	return strings.Join(all, ", ")
}

// LockName is the file in a run's folder that the measuring process locks. It is never removed, because otherwise two
// processes could hold locks of this name. The lock ends with its process.
const LockName = ".lock"

// Lock reserves a folder for one run, so that two runs do not write into the same files. If another run has reserved
// it, the error names that run's process.
func Lock(dir string) (release func() error, err error) {
	file := flock.New(filepath.Join(dir, LockName), flock.SetFlag(os.O_RDWR|os.O_CREATE), flock.SetPermissions(0o644))
	held, err := file.TryLock()
	if err == nil && !held {
		holder, _ := os.ReadFile(file.Path())
		return nil, fmt.Errorf("another run (process %s) is measuring into %s: wait for it, or choose another --out",
			strings.TrimSpace(string(holder)), dir)
	}
	if err == nil {
		err = os.WriteFile(file.Path(), fmt.Appendln(nil, os.Getpid()), 0o644)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), file.Close())
	}
	return file.Close, nil
}

// MoveAside moves the files of the run in a folder to earlier/RUN below it, and returns that path; "" if the folder has
// no run.
func MoveAside(dir string) (aside string, err error) {
	earlier, err := Load(filepath.Join(dir, Name))
	if err != nil || earlier == nil {
		return "", err
	}
	to := filepath.Join(dir, "earlier", earlier.RunID)
	entries, err := os.ReadDir(dir)
	if err == nil {
		err = os.MkdirAll(to, 0o755)
	}
	for _, entry := range entries {
		if err == nil && entry.Type().IsRegular() && entry.Name() != LockName {
			err = os.Rename(filepath.Join(dir, entry.Name()), filepath.Join(to, entry.Name()))
		}
	}
	if err != nil {
		return "", fmt.Errorf("moving the earlier run aside: %w", err)
	}
	return to, nil
}

// Machine is the machine of a lab run, or the one that called AWS.
type Machine struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"` // Go's name
	Kernel       string `json:"kernel,omitempty"`
	CPU          string `json:"cpu,omitempty"`
	CPUs         int    `json:"cpus"`
	MemoryMB     int    `json:"memoryMB,omitempty"`
}

// ThisMachine describes this machine, without its host name. Unknown fields are empty.
func ThisMachine() *Machine {
	m := &Machine{OS: runtime.GOOS, Architecture: runtime.GOARCH, CPUs: runtime.NumCPU()}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	m.Kernel = strings.TrimSpace(string(kernel))
	m.CPU = value("/proc/cpuinfo", processor)
	kib, _, _ := strings.Cut(value("/proc/meminfo", "MemTotal"), " ")
	n, _ := strconv.Atoi(kib) // 0 if unknown
	m.MemoryMB = n / 1024
	return m
}

// processor is the key of the processor's name. An ARM processor has no name there, only the number of its part.
const processor = "(?:model name|CPU part)"

// value returns the first value of a key in a file of /proc, or "".
func value(path, key string) string {
	data, _ := os.ReadFile(path)
	found := regexp.MustCompile(`(?m)^` + key + `\s*:\s*(.*)$`).FindSubmatch(data)
	if found == nil {
		return ""
	}
	return string(found[1])
}
