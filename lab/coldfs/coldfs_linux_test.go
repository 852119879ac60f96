package coldfs

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/coldfs/loop"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/tools/need"
)

func writeZIP(t *testing.T, entries map[string]func(*zip.Writer)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "package.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for _, add := range entries {
		add(w)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	return path
}

func entry(name, content string, mode os.FileMode) func(*zip.Writer) {
	return func(w *zip.Writer) {
		header := &zip.FileHeader{Name: name}
		header.SetMode(mode)
		f, _ := w.CreateHeader(header)
		f.Write([]byte(content))
	}
}

// unpacked adds a ZIP or a folder to a store.
func unpacked(s *Store, path string) (*Package, error) {
	digest, err := archive.Digest(path)
	if err != nil {
		return nil, err
	}
	return s.Add(Digest(digest), func(dir string) error { return Unpack(path, dir) })
}

// Unpacked files must keep the times of the archive. Otherwise Python takes a .pyc file for stale and compiles its module
// at each start.
func TestPackagesKeepTimes(t *testing.T) {
	archived := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	file := writeZIP(t, map[string]func(*zip.Writer){"dated": func(w *zip.Writer) {
		f, _ := w.CreateHeader(&zip.FileHeader{Name: "app.py", Modified: archived})
		f.Write([]byte("x = 1"))
	}, "undated": entry("bootstrap", "x", 0o555)})
	s, before := &Store{Dir: t.TempDir()}, time.Now().Add(-time.Minute)
	p, err := unpacked(s, file)
	if err != nil {
		t.Fatal(err)
	}
	modified := func(p *Package, name string) time.Time {
		info, err := os.Stat(filepath.Join(p.Folder(), name))
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	if got := modified(p, "app.py"); !got.Equal(archived) {
		t.Errorf("the file has the time %v, in the archive it has %v", got, archived)
	}
	if got := modified(p, "bootstrap"); got.Before(before) {
		t.Errorf("a file without a time in the archive has %v, want the present", got)
	}
	if p, err = unpacked(s, p.Folder()); err != nil {
		t.Fatal(err)
	}
	if got := modified(p, "app.py"); !got.Equal(cdkTime) {
		t.Errorf("a file of a folder has the time %v, the CDK CLI would archive it with %v", got, cdkTime)
	}
}

func TestUnzipKeepsModes(t *testing.T) {
	file := writeZIP(t, map[string]func(*zip.Writer){
		"a": entry("bootstrap", "x", 0o755), "b": entry("lib/data", "y", 0o640), "c": entry("empty/", "", os.ModeDir|0o755), "d": entry("link", "lib/data", os.ModeSymlink|0o777),
	})
	s := &Store{Dir: t.TempDir()}
	p, err := unpacked(s, file)
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"bootstrap": 0o755, "lib/data": 0o640, "empty": os.ModeDir | 0o755, "link": os.ModeSymlink | 0o777} {
		info, err := os.Lstat(filepath.Join(p.Folder(), name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if !slices.Equal(p.Files, []File{{"bootstrap", 1}, {"lib/data", 1}, {"link", 0}}) {
		t.Errorf("got %+v", p.Files)
	}
	again, err := unpacked(s, file)
	if err != nil || again.Folder() != p.Folder() {
		t.Errorf("the same package is unpacked twice: %+v, %v", again, err)
	}
	err = archive.Sweep(s.Dir, time.Hour) // it was used just now
	if _, gone := os.Stat(p.Folder()); err != nil || gone != nil {
		t.Errorf("Sweep removes a package that was just used: %v, %v", err, gone)
	}
	err = archive.Sweep(s.Dir, -time.Hour)
	if left, _ := os.ReadDir(s.Dir); len(left) != 0 || err != nil {
		t.Errorf("Sweep leaves %v, %v", left, err)
	}
}

func TestUnzipStaysInThePackage(t *testing.T) {
	outside := t.TempDir()
	for name, entries := range map[string]map[string]func(*zip.Writer){
		"dots":     {"a": entry("../evil", "x", 0o644)},
		"absolute": {"a": entry(filepath.Join(outside, "evil"), "x", 0o644)},
	} {
		if _, err := unpacked(&Store{Dir: t.TempDir()}, writeZIP(t, entries)); err == nil || !strings.Contains(err.Error(), "leads out of the package") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// This archive has a link, and then a file whose path goes through the link.
	link := entry("door", outside, os.ModeSymlink|0o777)
	file := writeZIP(t, map[string]func(*zip.Writer){"a": func(w *zip.Writer) { link(w); entry("door/evil", "x", 0o644)(w) }})
	if _, err := unpacked(&Store{Dir: t.TempDir()}, file); err == nil {
		t.Error("no error for a file that goes through a link")
	}
	if left, _ := os.ReadDir(outside); len(left) != 0 {
		t.Errorf("written outside of the package: %v", left)
	}
	if err := os.WriteFile(file, []byte("no zip"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := unpacked(&Store{Dir: t.TempDir()}, file); err == nil || !strings.Contains(err.Error(), "unpacking package.zip: zip: not a valid zip file") {
		t.Errorf("got %v", err)
	}
}

// fill writes a package with a large and a small file.
func fill(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "large"), bytes.Repeat([]byte("0123456789abcdef"), 2<<20/16), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "small"), []byte("small"), 0o644)
}

func readAt(t *testing.T, path string, offset int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ReadAt(make([]byte, 1), offset); err != nil {
		t.Fatal(err)
	}
}

// Attach takes its turn by a lock. Without it, environments that start at the same time would choose the same free
// device, and LOOP_CONFIGURE would return EBUSY.
func TestDevicesAreTakenInTurn(t *testing.T) {
	need.No(t, Usable())
	p, err := (&Store{Dir: t.TempDir(), Loop: true}).Add("x", fill)
	if err != nil {
		t.Fatal(err)
	}
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(control.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	attached := make(chan error)
	go func() {
		device, err := loop.Attach(p.Image(), 128)
		if err == nil {
			err = device.Close()
		}
		attached <- err
	}()
	select {
	case err := <-attached:
		t.Errorf("Attach did not wait for its turn: %v", err)
	case <-time.After(200 * time.Millisecond):
		control.Close()
		if err := <-attached; err != nil {
			t.Error(err)
		}
	}
}

func TestFreshMountIsCold(t *testing.T) {
	need.No(t, Usable())
	p, err := (&Store{Dir: t.TempDir(), Loop: true}).Add("x", fill)
	if err != nil {
		t.Fatal(err)
	}
	for _, readAhead := range []int{0, 128} {
		mnt := t.TempDir()
		device, err := loop.Attach(p.Image(), readAhead)
		if err != nil {
			t.Fatal(err)
		}
		name := device.Name()
		err = unix.Mount(name, mnt, "ext4", unix.MS_RDONLY, "")
		device.Close()
		if err != nil {
			t.Fatal(err)
		}
		count := func() Read {
			got, err := p.Count(mnt)
			if err != nil {
				t.Error(err)
			}
			return got
		}
		if got := count(); got != (Read{}) {
			t.Errorf("before the first read: %+v", got)
		}
		if names, err := os.ReadDir(mnt); err != nil || len(names) != 2 {
			t.Errorf("the mount has the files %v, %v", names, err)
		}
		readAt(t, filepath.Join(mnt, "large"), 1<<20)
		if got := count(); readAhead == 0 && got != (Read{4, 1}) || got.KiB == 0 || got.KiB > max(readAhead, 4) {
			t.Errorf("read-ahead %d: after one byte of one file: %+v", readAhead, got)
		}
		readAt(t, filepath.Join(mnt, "small"), 0)
		if got := count(); got.Chunks != 2 {
			t.Errorf("read-ahead %d: after one byte of each of two files: %+v", readAhead, got)
		}
		if err := unix.Unmount(mnt, 0); err != nil {
			t.Error(err)
		}
		for i := 0; ; i++ { // wait until the kernel has freed the device
			if _, err := os.Stat("/sys/block/" + filepath.Base(name) + "/loop/backing_file"); err != nil {
				break
			}
			if text, _ := os.ReadFile("/sys/block/" + filepath.Base(name) + "/loop/backing_file"); !strings.Contains(string(text), p.Image()) {
				break // another package already uses the device
			}
			if i == 3000 {
				t.Fatalf("after a minute %s is still attached", name)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func TestDropMakesAFolderCold(t *testing.T) {
	p, err := (&Store{Dir: t.TempDir()}).Add("x", fill)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Count(p.Folder()); err != nil || got.KiB != 2048+4 || got.Chunks != 5 {
		t.Errorf("after the write: %+v, %v", got, err)
	}
	var kind unix.Statfs_t
	if err := unix.Statfs(p.Folder(), &kind); err != nil || kind.Type == unix.TMPFS_MAGIC {
		need.Missing(t, fmt.Sprintf("TMPDIR is a tmpfs, which has no cold pages (%v): set it to a folder on disk", err))
	}
	if err := p.Drop(); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Count(p.Folder()); err != nil || got != (Read{}) {
		t.Errorf("after Drop: %+v, %v", got, err)
	}
}

func TestAddThatFailsLeavesNothing(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	if _, err := s.Add("x", func(string) error { return os.ErrInvalid }); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(s.Dir); len(left) != 0 {
		t.Errorf("the store still has %v", left)
	}
}
