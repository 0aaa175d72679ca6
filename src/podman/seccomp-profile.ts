const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWTIME of <linux/sched.h>. */
const NAMESPACE_FLAGS = 0x7e020080;

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK of <linux/socket.h>; AF_VSOCK, which leads to the hypervisor, is not among them. */
const SOCKET_DOMAINS = [1, 2, 10, 16];
const HIGHEST_ALLOWED_DOMAIN = 16;

/** Execution domains that change nothing but what uname says, and the question which one is set. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** What programs do: the calls of Linux that work on the process's own memory, files, sockets, time and children. */
const ALLOWED = {
  files: `access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
    fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr
    fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init
    inotify_init1 inotify_rm_watch ioctl lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek lsetxattr
    lstat memfd_create mkdir mkdirat mknod mknodat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64
    pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile
    setxattr splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat
    utime utimensat utimes vmsplice write writev`,
  memory: `brk madvise membarrier mincore mlock mlock2 mlockall mmap mprotect mremap msync munlock munlockall munmap
    pkey_alloc pkey_free pkey_mprotect shmat shmctl shmdt shmget`,
  processes: `arch_prctl capget capset execve execveat exit exit_group fork get_robust_list get_thread_area getcpu
    getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage
    getsid gettid getuid ioprio_get kill landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open
    pidfd_send_signal prctl prlimit64 riscv_flush_icache rseq sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity
    sched_setattr sched_setparam sched_setscheduler sched_yield seccomp set_robust_list set_thread_area set_tid_address
    setfsgid setfsuid setgid setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid
    swapcontext tgkill time times tkill uname vfork wait4 waitid waitpid`,
  signals: `alarm pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
    rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigreturn`,
  time: `clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer timer_create timer_delete
    timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime`,
  waiting: `epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 futex futex_waitv
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 poll
    ppoll pselect6 select semctl semget semop semtimedop`,
  sockets: `accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg
    sendmsg sendto setsockopt shutdown`,
  others: "getrandom sysinfo",
} as const;

/** Refused with EPERM, so that a program says what it was not allowed. All that is in no list is ENOSYS. */
const REFUSED = `acct add_key bpf chroot clock_adjtime clock_settime delete_module finit_module fsconfig fsmount fsopen
  fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl
  lookup_dcookie mbind migrate_pages mount mount_setattr move_mount move_pages name_to_handle_at open_by_handle_at
  open_tree perf_event_open pidfd_getfd pivot_root process_madvise process_vm_readv process_vm_writev ptrace quotactl
  quotactl_fd reboot request_key set_mempolicy sethostname setdomainname setns settimeofday swapoff swapon syslog umount
  umount2 unshare userfaultfd vhangup`;

interface Condition {
  index: number;
  value: number;
  valueTwo?: number;
  op: "SCMP_CMP_EQ" | "SCMP_CMP_GT" | "SCMP_CMP_MASKED_EQ";
}

interface Rule {
  names: string[];
  action: "SCMP_ACT_ALLOW" | "SCMP_ACT_ERRNO";
  errnoRet?: number;
  args?: Condition[];
}

export interface SeccompProfile {
  defaultAction: "SCMP_ACT_ERRNO";
  defaultErrnoRet: number;
  archMap: { architecture: string; subArchitectures: string[] }[];
  syscalls: Rule[];
}

/**
 * The system calls that a sandbox may make, in the form that containers/common reads. An allow-list: no namespaces, no
 * mounts, no io_uring, no AF_VSOCK. No architecture has a subordinate one: 32-bit calls carry their arguments where no
 * filter sees them, so a process that makes one is killed.
 */
export function seccompProfile(): SeccompProfile {
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: ENOSYS,
    archMap: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64"].map(
      (architecture) => ({
        architecture,
        subArchitectures: [],
      }),
    ),
    syscalls: [
      { names: Object.values(ALLOWED).flatMap(words), action: "SCMP_ACT_ALLOW" },
      { names: words(REFUSED), action: "SCMP_ACT_ERRNO", errnoRet: EPERM },
      // Its flags lie in memory, out of the filter's reach; the C library falls back to clone.
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
      {
        names: ["clone"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
      },
      ...PERSONALITIES.map((value): Rule => allowedWhere("personality", value)),
      ...SOCKET_DOMAINS.flatMap((value) => [allowedWhere("socket", value), allowedWhere("socketpair", value)]),
      {
        names: ["socket", "socketpair"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: EAFNOSUPPORT,
        args: [{ index: 0, value: HIGHEST_ALLOWED_DOMAIN, op: "SCMP_CMP_GT" }],
      },
    ],
  };
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

const allowedWhere = (name: string, value: number): Rule => ({
  names: [name],
  action: "SCMP_ACT_ALLOW",
  args: [{ index: 0, value, op: "SCMP_CMP_EQ" }],
});
