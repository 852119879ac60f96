package loop

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Attach attaches an image to a free loop device, read-only, with a read-ahead in KiB (0 reads page by page). The
// kernel frees the device when it is closed and unmounted, so nothing stays behind even if every process here is
// killed.
func Attach(image string, readAheadKiB int) (*os.File, error) {
	backing, err := os.Open(image)
	if err != nil {
		return nil, fmt.Errorf("attaching a package: %w", err)
	}
	defer backing.Close()
	// Keep the image in memory, so that this machine's disk is not part of what is measured.
	_ = unix.Fadvise(int(backing.Fd()), 0, 0, unix.FADV_WILLNEED)
	return attach(backing, os.O_RDONLY, readAheadKiB)
}

// AttachFile attaches an open file to a free loop device that can be written to.
func AttachFile(backing *os.File) (*os.File, error) { return attach(backing, os.O_RDWR, 128) }

func attach(backing *os.File, mode, readAheadKiB int) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("attaching a package: %w", err)
	}
	defer control.Close()
	// Until control is closed no other lab attaches: environments that start at once would take each other's free device.
	// Package flock would open the device once more.
	if err := unix.Flock(int(control.Fd()), unix.LOCK_EX); err != nil {
		return nil, fmt.Errorf("attaching a package: waiting for /dev/loop-control: %w", err)
	}
	for attempt := 0; ; attempt++ {
		device, err := attachFree(control, backing, mode)
		if errors.Is(err, unix.EBUSY) && attempt < 100 { // another program took the device between the two calls
			time.Sleep(time.Duration(attempt) * 100 * time.Microsecond)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("attaching a package to a loop device: %w", err)
		}
		if err := unix.IoctlSetInt(int(device.Fd()), unix.BLKRASET, readAheadKiB*2); err != nil { // unit: 512 bytes
			device.Close()
			return nil, fmt.Errorf("attaching a package: setting read-ahead of %s: %w", device.Name(), err)
		}
		return device, nil
	}
}

func attachFree(control, backing *os.File, mode int) (*os.File, error) {
	n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return nil, os.NewSyscallError("LOOP_CTL_GET_FREE", err)
	}
	device, err := os.OpenFile("/dev/loop"+strconv.Itoa(n), mode, 0)
	if err != nil {
		return nil, err
	}
	config := unix.LoopConfig{Fd: uint32(backing.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
	if mode == os.O_RDONLY {
		config.Info.Flags |= unix.LO_FLAGS_READ_ONLY
	}
	if err := unix.IoctlLoopConfigure(int(device.Fd()), &config); err != nil {
		device.Close()
		return nil, os.NewSyscallError("LOOP_CONFIGURE", err)
	}
	return device, nil
}
