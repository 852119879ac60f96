package readahead_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/coldfs/loop"
	"github.com/twinstart/twinstart/probe/readahead"
	"github.com/twinstart/twinstart/tools/need"
)

// The computed pages must be those that the kernel has in memory. On Linux 6.1 and 6.12 all are the same. On 6.18, which
// treats marks slightly differently, 0.2 % differ. All these kernels read around mapped data. Since 6.17 they do not read
// around mapped code.
func TestAsTheKernelReads(t *testing.T) {
	need.No(t, coldfs.Usable())
	const pages = 1500
	content := make([]byte, pages*readahead.PageSize-100)
	p, err := (&coldfs.Store{Dir: t.TempDir(), Loop: true}).Add("x", func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "file"), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	different, total := 0, 0
	for start := range 12 {
		readAhead := []int{128, 64, 0}[start%3]
		mnt := t.TempDir()
		device, err := loop.Attach(p.Image(), readAhead)
		if err != nil {
			t.Fatal(err)
		}
		err = unix.Mount(device.Name(), mnt, "ext4", unix.MS_RDONLY, "")
		device.Close()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(mnt, "file")
		computed := readahead.New(int64(len(content)), readAhead)
		touch(t, file, random, computed, 5+start*10)
		got, err := coldfs.Pages(file)
		if err != nil {
			t.Fatal(err)
		}
		before := different
		for page, in := range got {
			if in&1 != computed.Pages()[page]&1 {
				different++
			}
			total += int(in & 1)
		}
		if before != different {
			t.Logf("start %d, read-ahead %d:\nhere     %s\ncomputed %s", start, readAhead, runs(got), runs(computed.Pages()))
		}
		if err := unix.Unmount(mnt, 0); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d pages of %d differ", different, total)
	if different*100 > total {
		t.Errorf("%d pages of %d differ", different, total)
	}
}

// touch reads the beginning of a file, as exec does. Then it maps the file and touches pages, mostly near the previous
// one. computed gets the same touches.
func touch(t *testing.T, file string, random *rand.Rand, computed *readahead.File, times int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ReadAt(make([]byte, 256), 0); err != nil {
		t.Fatal(err)
	}
	computed.Read(0)
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(data)
	touched := map[int]bool{}
	page, sum := 0, 0
	for range times {
		if page += random.IntN(41) - 12; random.IntN(4) == 0 || page < 0 || page*readahead.PageSize >= len(data) {
			page = random.IntN(len(data) / readahead.PageSize)
		}
		if !touched[page] { // the second touch of a page is no fault
			touched[page] = true
			sum += int(data[page*readahead.PageSize])
			computed.Fault(page)
		}
	}
	if sum != 0 {
		t.Fatal("the file is not all zeros")
	}
}
