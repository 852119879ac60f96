package sandbox

import (
	"errors"
	"strings"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// denied lists system calls that functions do not need: calls that container engines deny, and calls that make a
// namespace, because the rights of a process in its own namespace give it access to most of the kernel.
var denied = strings.Fields(`
	acct add_key bpf chroot clock_adjtime clock_settime delete_module fanotify_init finit_module fsconfig fsmount
	fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup kcmp kexec_file_load kexec_load keyctl
	lookup_dcookie mount mount_setattr move_mount move_pages name_to_handle_at open_by_handle_at open_tree
	perf_event_open pidfd_getfd pivot_root process_vm_readv process_vm_writev ptrace quotactl quotactl_fd reboot
	request_key setns settimeofday swapoff swapon syslog umount2 unshare userfaultfd vhangup`)

// newNamespace has the flags of clone that make a namespace.
const newNamespace = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// Actions of a filter: the system call returns an error.
const (
	deny    = seccomp.ActionErrno | seccomp.Action(unix.EPERM)
	missing = seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)
)

// Filters returns programs for Spec.Filters that deny the system calls above. A filter cannot see the flags of clone3,
// so it makes clone3 fail as on a kernel that does not have it; the C library then uses clone. System calls by another
// ABI of the processor, for example int 0x80 on x86_64, have other numbers and are refused. Filters returns an error if
// the kernel has no filters.
func Filters() ([][]byte, error) {
	if !seccomp.Supported() {
		return nil, errors.ErrUnsupported
	}
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{
		{Action: deny, Names: denied, NamesWithCondtions: []seccomp.NameWithConditions{
			{Name: "clone", Conditions: seccomp.ArgumentConditions{{Operation: seccomp.BitsSet, Value: newNamespace}}},
			// Network namespaces do not apply to AF_VSOCK.
			{Name: "socket", Conditions: seccomp.ArgumentConditions{{Operation: seccomp.Equal, Value: unix.AF_VSOCK}}},
		}},
		{Action: missing, Names: []string{"clone3"}},
	}}
	instructions, err := policy.Assemble()
	own, archErr := arch.GetInfo("")
	if err := errors.Join(err, archErr); err != nil {
		return nil, err
	}
	const archOffset = 4 // in struct seccomp_data
	oneABI := []bpf.Instruction{
		bpf.LoadAbsolute{Off: archOffset, Size: 4}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(own.ID), SkipTrue: 1},
		bpf.RetConstant{Val: uint32(missing)}, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
	}
	var all [][]byte
	for _, program := range [][]bpf.Instruction{instructions, oneABI} {
		raw, err := bpf.Assemble(program)
		if err != nil {
			return nil, err
		}
		size := len(raw) * int(unsafe.Sizeof(raw[0]))
		all = append(all, unsafe.Slice((*byte)(unsafe.Pointer(&raw[0])), size)) // struct sock_filter
	}
	return all, nil
}
