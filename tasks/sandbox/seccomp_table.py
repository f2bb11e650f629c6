"""List the system calls that a run may not make, with their numbers on x86_64 and aarch64.

None stands for a call that a machine type does not have. Everything else is allowed: what matters
is closed by name, and what is new to the kernel since is mostly harmless or goes through file
rules.
"""

from __future__ import annotations

from typing import NamedTuple


class Numbers(NamedTuple):
    """The number of one call on each machine type."""

    x86_64: int | None
    aarch64: int | None


def _table(text: str) -> dict[str, Numbers]:
    table = {}
    for entry in text.split():
        name, _, rest = entry.partition("=")
        x86_64, _, aarch64 = rest.partition("/")
        table[name] = Numbers(*(None if part == "-" else int(part) for part in (x86_64, aarch64 or x86_64)))
    return table


DENIED = _table(
    # other processes
    "ptrace=101/117 process_vm_readv=310/270 process_vm_writev=311/271 process_madvise=440 "
    "pidfd_getfd=438 kcmp=312/272 "
    # mounts and namespaces
    "mount=165/40 umount2=166/39 pivot_root=155/41 chroot=161/51 open_tree=428 move_mount=429 "
    "fsopen=430 fsconfig=431 fsmount=432 fspick=433 mount_setattr=442 open_tree_attr=467 "
    "unshare=272/97 setns=308/268 "
    # the machine
    "swapon=167/224 swapoff=168/225 reboot=169/142 sethostname=170/161 setdomainname=171/162 "
    "acct=163/89 init_module=175/105 delete_module=176/106 finit_module=313/273 kexec_load=246/104 "
    "kexec_file_load=320/294 settimeofday=164/170 clock_settime=227/112 adjtimex=159/171 "
    "clock_adjtime=305/266 syslog=103/116 vhangup=153/58 quotactl=179/60 quotactl_fd=443 "
    "lookup_dcookie=212/18 nfsservctl=180/42 iopl=172/- ioperm=173/- modify_ldt=154/- uselib=134/- "
    "_sysctl=156/- ustat=136/- sysfs=139/- "
    # large parts of the kernel that tasks have no use for
    "add_key=248/217 request_key=249/218 keyctl=250/219 bpf=321/280 perf_event_open=298/241 "
    "userfaultfd=323/282 fanotify_init=300/262 name_to_handle_at=303/264 open_by_handle_at=304/265 "
    "io_uring_setup=425 io_uring_enter=426 io_uring_register=427 io_setup=206/0 io_submit=209/2 "
    "move_pages=279/239 migrate_pages=256/238 memfd_secret=447 lsm_set_self_attr=460 file_setattr=469 "
    # System V and POSIX queues and memory: shared with everything of the machine, by number
    "shmget=29/194 shmat=30/196 shmctl=31/195 semget=64/190 semop=65/193 semctl=66/191 "
    "semtimedop=220/192 msgget=68/186 msgsnd=69/189 msgrcv=70/188 msgctl=71/187 mq_open=240/180 "
    "mq_unlink=241/181"
)
"""Answered with EPERM."""

UNSUPPORTED = _table(
    "setxattr=188/5 lsetxattr=189/6 fsetxattr=190/7 removexattr=197/14 lremovexattr=198/15 "
    "fremovexattr=199/16 setxattrat=463 removexattrat=466"
)
"""Answered with EOPNOTSUPP, after which cp, tar and their like carry on."""

UNKNOWN = _table("clone3=435 openat2=437 memfd_create=319/279")
"""Answered with ENOSYS, after which programs make do with older calls.

The arguments of the first two lie in memory, where a filter cannot read. What is written into a file of the third is
memory that is no process's, and so is not counted.
"""

CHECKED = _table(
    "clone=56/220 personality=135/92 ioctl=16/29 kill=62/129 truncate=76/45 "
    "prlimit64=302/261 sched_setaffinity=203/122 sched_setscheduler=144/119 sched_setparam=142/118 "
    "sched_setattr=314/274 setpriority=141/140 ioprio_set=251/30 "
    "chmod=90/- fchmod=91/52 fchmodat=268/53 fchmodat2=452 mknod=133/- mknodat=259/33 creat=85/- "
    "open=2/- openat=257/56 "
    "socket=41/198 socketpair=53/199 sendto=44/206 sendmsg=46/211 sendmmsg=307/269"
)
"""Allowed or not by their arguments."""
