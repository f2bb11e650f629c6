"""List ways in which a run might reach beyond what it is allowed.

Each is a few lines of Python that end well exactly if they got out. They are tried twice: without the
sandbox, where each must succeed (or its failing inside would prove nothing), and inside.

Names at hand: S a file outside and its folder O, W the workspace, OTHER a file in another run's
private directory, VICTIM and SERVER process numbers, PORT a listening TCP port, UNIX a listening
socket's path and ABSTRACT one's abstract name; call() makes a system call, reaches() one that may
fail in the kernel for any reason but being forbidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PRELUDE = """
import ctypes, errno, fcntl, mmap, os, resource, signal, socket, struct, subprocess, sys
S, O, W, OTHER, VICTIM, SERVER, PORT, UNIX, ABSTRACT = sys.argv[1:]
VICTIM, SERVER, PORT = int(VICTIM), int(SERVER), int(PORT)
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
FORBIDDEN = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EAFNOSUPPORT, errno.EOPNOTSUPP)

def call(number, *args):
    result = libc.syscall(number, *(ctypes.c_long(a) if isinstance(a, int) else a for a in args))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def reaches(number, *args):
    try:
        call(number, *args)
    except OSError as error:
        if error.errno in FORBIDDEN:
            raise

def write(path, text="x"):
    with open(path, "w") as file:
        file.write(text)

def read(path):
    with open(path, "rb") as file:
        return file.read(64)

def sh(command):
    subprocess.run(["/bin/sh", "-c", command], check=True)
"""

Network = Literal["none", "tcp", "all"]


@dataclass(frozen=True)
class Way:
    """One way out. `root`: only root succeeds at it unconfined. `hole`: open to a run with the server's user."""

    name: str
    code: str
    root: bool = False
    hole: bool = False
    network: Network = "all"


def _ways(text: str, **traits: bool | Network) -> list[Way]:
    ways = []
    for block in text.strip().split("\n# "):
        name, _, code = block.removeprefix("# ").partition("\n")
        ways.append(Way(name.strip(), code, **traits))  # type: ignore[arg-type]
    return ways


READING = _ways("""
# read a file
read(S)
# read a file by its inode's other names
read("/proc/self/root" + S)
# read a file by a relative path
os.chdir(W); read(os.path.relpath(S))
# read a file through a link planted in the workspace
os.symlink(S, W + "/link"); read(W + "/link")
# read a file through a hard link
os.link(S, W + "/hard"); read(W + "/hard")
# read a file from an open folder
folder = os.open(O, os.O_PATH); os.close(os.open(os.path.basename(S), os.O_RDONLY, dir_fd=folder))
# read a file by opening a descriptor anew
handle = os.open(S, os.O_PATH); read(f"/proc/self/fd/{handle}")
# read a file after changing into its folder
os.chdir(O); read(os.path.basename(S))
# list a folder
os.listdir(O)
# list a folder through the working directory's link
os.chdir(O); os.listdir("/proc/self/cwd")
# map a file
with open(S, "rb") as file: mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[0]
# copy a file with a program
sh(f"cp {S} {W}/copy")
# run a program from outside
subprocess.run([O + "/program"], check=True)
# run a program from outside through the loader
subprocess.run(["/lib64/ld-linux-x86-64.so.2", O + "/program"], check=True)
# import a module from outside
sys.path.insert(0, O); import planted
# read another run's private directory
read(OTHER)
# list the folder of private directories
os.listdir(os.path.dirname(os.path.dirname(OTHER)))
# openat2
how = struct.pack("QQQ", os.O_RDONLY, 0, 0); call(437, -100, S.encode(), how, 24)
# environment of the server
read(f"/proc/{SERVER}/environ")
# command line of the server
read(f"/proc/{SERVER}/cmdline")
# memory map of the server
read(f"/proc/{SERVER}/maps")
# memory of the server
os.close(os.open(f"/proc/{SERVER}/mem", os.O_RDONLY))
# descriptors of the server
os.listdir(f"/proc/{SERVER}/fd")
# working directory of the server
os.listdir(f"/proc/{SERVER}/cwd")
# files by the server's root
read(f"/proc/{SERVER}/root{S}")
# status of the server
read(f"/proc/{SERVER}/status")
# table of all processes
os.listdir("/proc")
# command line of the first process
read("/proc/1/cmdline")
# kernel settings
read("/proc/sys/kernel/hostname")
# mounts of another process
read(f"/proc/{VICTIM}/mounts")
# kernel objects
os.listdir("/sys/kernel")
# devices
os.listdir("/dev")
# terminals
os.close(os.open("/dev/ptmx", os.O_RDWR))
# all settings
os.listdir("/etc")
# folder for everybody
os.listdir("/tmp")
# states of services
os.listdir("/var")
# handle of a file
handle = struct.pack("Ii", 128, 0) + bytes(128)
call(303, -100, S.encode(), ctypes.create_string_buffer(handle), ctypes.create_string_buffer(8), 0)
""")

READING += _ways(
    """
# password hashes
read("/etc/shadow")
# home of root
os.listdir("/root")
# physical memory map
read("/proc/iomem")
# file by its handle
handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
call(303, -100, S.encode(), handle, ctypes.create_string_buffer(8), 0)
os.close(call(304, os.open("/", os.O_RDONLY), handle, os.O_RDONLY))
""",
    root=True,
)

WRITING = _ways("""
# change a file
write(S)
# append to a file
with open(S, "a") as file: file.write("x")
# make a file
write(O + "/new")
# make a file with the shell
sh(f"echo x > {O}/new")
# truncate a file by its path
os.truncate(S, 0)
# remove a file
os.unlink(S)
# rename a file
os.rename(S, S + ".renamed")
# move a file in
os.rename(S, W + "/taken")
# move a file out
write(W + "/file"); os.rename(W + "/file", O + "/planted-file")
# exchange two files
write(W + "/file"); call(316, -100, (W + "/file").encode(), -100, S.encode(), 2)
# make a folder
os.mkdir(O + "/new")
# remove a folder
os.rmdir(O + "/empty")
# move a folder
os.rename(O + "/empty", W + "/empty")
# make a link
os.symlink("x", O + "/new")
# make a hard link
write(W + "/file"); os.link(W + "/file", O + "/new")
# make a pipe
os.mkfifo(O + "/new")
# make a socket
os.mknod(O + "/new", 0o140600)
# make a file without a name
os.close(os.open(O, os.O_TMPFILE | os.O_WRONLY, 0o600))
# name a nameless file outside
handle = os.open(W, os.O_TMPFILE | os.O_WRONLY, 0o600)
call(265, -100, b"/proc/self/fd/%d" % handle, -100, (O + "/new").encode(), 0x400)
# write through a planted link
os.symlink(O + "/new", W + "/link"); write(W + "/link")
# write in the folder for everybody
write("/tmp/way-out-of-the-sandbox"); os.unlink("/tmp/way-out-of-the-sandbox")
# write in another run's private directory
write(OTHER + ".new")
# database outside
import sqlite3; sqlite3.connect(O + "/new.db").execute("create table t (x)")
# unpack outside
sh(f"cd {W}; echo x > packed; tar cf p.tar packed; tar xf p.tar -C {O}")
# repository outside
sh(f"git init -q {O}/repository")
# attributes of a file
os.setxattr(S, "user.way", b"out")
# set-user-id file
write(W + "/file"); os.chmod(W + "/file", 0o4755)
# set-group-id file
write(W + "/file"); os.chmod(W + "/file", 0o2755)
# set-user-id by descriptor
with open(W + "/file", "w") as file: os.fchmod(file.fileno(), 0o4755)
# set-user-id by folder
write(W + "/file"); os.chmod("file", 0o4755, dir_fd=os.open(W, os.O_PATH))
# set-user-id by fchmodat2
write(W + "/file"); call(452, -100, (W + "/file").encode(), 0o4755, 0)
# set-user-id when made
os.close(os.open(W + "/file", os.O_CREAT | os.O_WRONLY, 0o4755))
# set-user-id by open
call(2, (W + "/file").encode(), os.O_CREAT | os.O_WRONLY, 0o4755)
# set-user-id by creat
call(85, (W + "/file").encode(), 0o4755)
# set-user-id by mknod
os.mknod(W + "/file", 0o104755)
# set-user-id with a program
sh(f"cp /bin/true {W}/file && chmod u+s {W}/file")
# huge file
with open(W + "/file", "wb") as file: file.truncate(2 << 30)
""")

WRITING += _ways(
    """
# mode of a file
os.chmod(S, 0o600)
# mode by a descriptor
os.chmod(f"/proc/self/fd/{os.open(S, os.O_PATH)}", 0o600)
# mode by fchmodat2
call(452, -100, S.encode(), 0o600, 0)
# times of a file
os.utime(S, (1, 1))
# times of a folder
os.utime(O, (1, 1))
""",
    hole=True,
)

WRITING += _ways(
    """
# owner of a file
os.chown(S, 1, 1)
# owner of a link
os.symlink("x", W + "/link"); os.chown(W + "/link", 1, 1, follow_symlinks=False)
# owner in the workspace
write(W + "/file"); os.chown(W + "/file", 0, 0); os.chown(W + "/file", 1, 1)
# character device
os.mknod(W + "/device", 0o20600, os.makedev(1, 3))
# block device
os.mknod(W + "/device", 0o60600, os.makedev(7, 0))
# capabilities of a file
write(W + "/file")
os.setxattr(W + "/file", "security.capability", struct.pack("<5I", 0x02000001, 1 << 21, 0, 0, 0))
# kernel setting
with open("/proc/sys/kernel/core_pattern", "r+") as file: file.write(file.read())
# place in the memory killer's list
with open(f"/proc/{VICTIM}/oom_score_adj", "w") as file: file.write("0")
""",
    root=True,
)

PROCESSES = _ways("""
# find a process by signal
os.kill(VICTIM, 0)
# find the server by signal
os.kill(SERVER, 0)
# signal a process
os.kill(VICTIM, signal.SIGCONT)
# signal by descriptor
signal.pidfd_send_signal(os.pidfd_open(VICTIM), signal.SIGCONT)
# signal a thread
call(234, VICTIM, VICTIM, 0)
# signal a group
os.killpg(os.getpgid(VICTIM), 0)
# queue a signal
info = struct.pack("iiiiii", 18, 0, -1, 0, os.getpid(), os.getuid()) + bytes(104)
call(129, VICTIM, 18, info)
# trace a process
call(101, 0x4206, VICTIM, 0, 0)
# memory of a process
here = ctypes.create_string_buffer(8)
local = struct.pack("PN", ctypes.addressof(here), 8)
reaches(310, VICTIM, local, 1, struct.pack("PN", 4096, 8), 1, 0)
# memory of a process, writing
here = ctypes.create_string_buffer(8)
local = struct.pack("PN", ctypes.addressof(here), 8)
reaches(311, VICTIM, local, 1, struct.pack("PN", 4096, 8), 1, 0)
# descriptor of a process
os.close(call(438, os.pidfd_open(VICTIM), 1, 0))
# compare with a process
call(312, os.getpid(), VICTIM, 1, 0, 0)
# niceness of a process
os.setpriority(os.PRIO_PROCESS, VICTIM, os.getpriority(os.PRIO_PROCESS, VICTIM))
# processors of a process
os.sched_setaffinity(VICTIM, os.sched_getaffinity(VICTIM))
# scheduling of a process
os.sched_setscheduler(VICTIM, os.SCHED_OTHER, os.sched_param(0))
# scheduling parameters of a process
os.sched_setparam(VICTIM, os.sched_param(0))
# scheduling attributes of a process
call(314, VICTIM, struct.pack("IIQiIQQQ", 48, 0, 0, 0, 0, 0, 0, 0), 0)
# limits of a process
resource.prlimit(VICTIM, resource.RLIMIT_CORE, (0, 0))
# disk priority of a process
call(251, 1, VICTIM, 4 | 2 << 13)
# pages of a process
call(279, VICTIM, 0, 0, 0, 0, 0)
# memory node of a process
call(256, VICTIM, 64, struct.pack("Q", 1), struct.pack("Q", 1))
""")

PROCESSES += _ways(
    """
# namespace of a process
os_ns = os.open(f"/proc/{VICTIM}/ns/uts", os.O_RDONLY); call(308, os_ns, 0)
# become root
os.setuid(0)
# join root's group
os.setgid(0)
# groups
os.setgroups([0, 6])
# give capabilities to children
header, data = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", 4, 4, 4, 0, 0, 0)
if libc.capset(header, data): raise OSError("capset")
# raise own priority
os.nice(-1)
# real-time scheduling
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
# real-time disk priority
call(251, 1, 0, 1 << 13)
# lock memory
call(151, 1)
# give memory advice to a process
reaches(440, os.pidfd_open(VICTIM), struct.pack("PN", 4096, 4096), 1, 20, 0)
""",
    root=True,
)

KERNEL = _ways("""
# user namespace
call(272, 0x10000000)
# user namespace with a program
sh("unshare -U true")
# user namespace by clone
pid = call(56, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
if pid == 0: os._exit(0)
os.waitpid(pid, 0)
# user namespace by clone3
pid = call(435, struct.pack("11Q", 0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0), 88)
if pid == 0: os._exit(0)
os.waitpid(pid, 0)
# tree of mounts
os.close(call(428, -100, W.encode(), 0))
# io_uring
os.close(call(425, 1, ctypes.create_string_buffer(120)))
# old asynchronous disk access
call(206, 1, ctypes.create_string_buffer(8))
# keyrings
call(250, 0, -3, 1)
# new key
call(248, b"user", b"way", b"out", 3, -2)
# wanted key
reaches(249, b"user", b"no-such-key", 0, -2)
# page faults
os.close(call(323, 1))
# performance counters
attr = struct.pack("IIQQQQQ", 1, 112, 0, 0, 0, 0, 1 << 5 | 1 << 6) + bytes(64)
os.close(call(298, attr, 0, -1, -1, 0))
# watching files
os.close(call(300, 0x200, 0))
# shared memory by number
where = call(29, 0, 4096, 0o1600); call(31, where, 0, 0)
# semaphore by number
where = call(64, 0, 1, 0o1600); call(66, where, 0, 0)
# memory that is no process's
os.close(os.memfd_create("way"))
# queue by number
where = call(68, 0, 0o1600); call(71, where, 0, 0)
# queue by name
queue = call(240, b"way-out-%d" % os.getpid(), os.O_CREAT | os.O_RDWR, 0o600, 0)
call(241, b"way-out-%d" % os.getpid())
# clock state
call(159, ctypes.create_string_buffer(256))
# weaker address layout
call(135, 0x40000)
# typing for a terminal
reaches(16, 0, 0x5412, b"x")
# segments
reaches(154, 0, ctypes.create_string_buffer(64), 64)
# calls of 32 bits
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex("53b814000000cd805bc3"))
call32 = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
if call32() <= 0: raise PermissionError
""")

KERNEL += _ways(
    """
# root directory
os.chroot(W)
# mount
os.mkdir(W + "/m"); call(165, b"x", (W + "/m").encode(), b"tmpfs", 0, 0); call(166, (W + "/m").encode(), 0)
# bind outside into the workspace
os.mkdir(W + "/m"); call(165, O.encode(), (W + "/m").encode(), 0, 4096, 0); call(166, (W + "/m").encode(), 0)
# unmount
reaches(166, W.encode(), 0)
# change the root mount
reaches(155, W.encode(), W.encode())
# new mounts
os.close(call(430, b"tmpfs", 0))
# move mounts
reaches(429, -1, b"x", -1, b"x", 0)
# change mounts
reaches(442, -1, b"x", 0, 0, 0)
# mount namespace
call(272, 0x00020000)
# programs in the kernel
reaches(321, 0, ctypes.create_string_buffer(128), 128)
# kernel messages
call(103, 10, 0, 0)
# name of the machine
name = os.uname().nodename.encode(); call(170, name, len(name))
# domain of the machine
call(171, b"(none)", 6)
# time of the machine
call(164, 0, 0)
# swap off
reaches(168, b"/no/such/file")
# swap on
reaches(167, b"/no/such/file", 0)
# restart with wrong words
reaches(169, 0, 0, 0, 0)
# kernel module
reaches(175, 0, 0, b"")
# ports of the machine
reaches(173, 0x80, 1, 1)
# accounting
reaches(163, b"/no/such/file")
""",
    root=True,
)

SOCKETS = _ways("""
# kernel's own sockets
socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
# host of the virtual machine
socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
# TCP over several ways
socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
# socket by its path
with socket.socket(socket.AF_UNIX) as channel: channel.connect(UNIX)
# socket by its abstract name
with socket.socket(socket.AF_UNIX) as channel: channel.connect("\\0" + ABSTRACT)
# datagrams by path
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
""")

SOCKETS += _ways(
    """
# packets
socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
# raw addresses
socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
# raw addresses, version 6
socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
# reserved port
with socket.socket() as channel: channel.bind(("127.0.0.1", 81))
""",
    root=True,
)

SOCKETS += _ways(
    """
# connect without network
socket.create_connection(("127.0.0.1", PORT)).close()
# listen without network
with socket.socket() as channel: channel.bind(("127.0.0.1", 0)); channel.listen()
# version 6 without network
socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
# datagram without network
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel: channel.sendto(b"x", ("127.0.0.1", PORT))
""",
    network="none",
)

SOCKETS += _ways(
    """
# datagram with TCP only
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel: channel.sendto(b"x", ("127.0.0.1", PORT))
# connecting with the first data
with socket.socket() as channel: channel.sendto(b"x", 0x20000000, ("127.0.0.1", PORT))
""",
    network="tcp",
)

WAYS = [*READING, *WRITING, *PROCESSES, *KERNEL, *SOCKETS]
