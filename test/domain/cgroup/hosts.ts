/** Hosts as their /proc tells of them. The first two texts were read on real kernels (6.18 and 6.12). */
import type { LayoutTexts } from "../../../src/domain/cgroup/CgroupLayout.ts"

/** Every v1 controller in a hierarchy of its own, and cgroup2 with the one that v1 left. */
export const separateHost: LayoutTexts = {
  mountinfo: `21 26 0:20 / /proc rw,relatime - proc proc rw
22 26 0:21 / /sys rw,relatime - sysfs sysfs rw
23 26 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=12334416k,nr_inodes=3083604,mode=755
26 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resv_strict,resuid=65534,resgid=65534
30 22 0:27 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
31 30 0:28 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
32 30 0:29 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
33 30 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
34 30 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
35 30 0:32 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices
36 30 0:33 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
37 30 0:34 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio
38 30 0:35 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
39 30 0:36 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`,
  cgroups: `#subsys_name	hierarchy	num_cgroups	enabled
cpuset	3	1	1
cpu	1	1	1
cpuacct	2	1	1
blkio	7	1	1
memory	4	13	1
devices	5	1	1
freezer	6	1	1
net_cls	0	1	1
perf_event	0	1	1
net_prio	0	1	1
hugetlb	0	1	1
pids	8	1	1
`,
  controllers: "hugetlb\n"
}

/** cgroup2 alone; the line of the root comes after those of its children. */
export const unifiedHost: LayoutTexts = {
  mountinfo: `24 31 0:22 / /proc rw,relatime shared:2 - proc proc rw
25 31 0:23 / /sys rw,relatime shared:3 - sysfs sysfs rw
26 31 0:6 / /dev rw,relatime shared:9 - devtmpfs devtmpfs rw,size=1520292k,nr_inodes=380073,mode=755,inode64
31 1 0:25 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/host,upperdir=/disk/root/upper,workdir=/disk/root/work,uuid=on
32 31 0:28 / /run rw,relatime shared:13 - tmpfs tmpfs rw,mode=755,inode64
36 25 0:7 / /sys/kernel/security rw,relatime shared:4 - securityfs securityfs rw
40 25 0:32 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:8 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
`,
  cgroups: `#subsys_name	hierarchy	num_cgroups	enabled
cpuset	0	1	1
cpu	0	1	1
cpuacct	0	1	1
blkio	0	1	1
memory	0	1	1
devices	0	1	1
freezer	0	1	1
net_cls	0	1	1
perf_event	0	1	1
net_prio	0	1	1
hugetlb	0	1	1
pids	0	1	1
rdma	0	1	1
misc	0	1	1
`,
  controllers: "cpuset cpu io memory hugetlb pids rdma misc\n"
}

/** What systemd's hybrid mode sets up: controllers mounted together, cgroup2 without any. */
export const systemdHost: LayoutTexts = {
  mountinfo: `20 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
21 20 0:19 / /sys rw shared:7 - sysfs sysfs rw
30 21 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid,nodev,noexec,relatime shared:10 - cgroup2 cgroup2 rw,nsdelegate
32 30 0:28 / /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec,relatime shared:11 - cgroup cgroup rw,xattr,name=systemd
36 30 0:32 / /sys/fs/cgroup/net_cls,net_prio rw,relatime shared:16 - cgroup cgroup rw,net_cls,net_prio
37 30 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:17 - cgroup cgroup rw,cpu,cpuacct
38 30 0:34 / /sys/fs/cgroup/memory rw,relatime shared:18 - cgroup cgroup rw,memory
39 30 0:35 / /sys/fs/cgroup/cpuset rw,relatime shared:19 - cgroup cgroup rw,cpuset,clone_children,release_agent=/sbin/agent
40 30 0:36 / /sys/fs/cgroup/pids rw,relatime shared:20 - cgroup cgroup rw,pids
41 30 0:37 / /sys/fs/cgroup/blkio rw,relatime shared:21 - cgroup cgroup rw,blkio
`,
  cgroups: `#subsys_name	hierarchy	num_cgroups	enabled
cpuset	5	1	1
cpu	3	70	1
cpuacct	3	70	1
memory	0	1	0
blkio	7	70	1
pids	6	70	1
hugetlb	9	1	1
`,
  controllers: "\n"
}

/** Inside a container that sees its own cgroups at the usual place and the host's whole trees elsewhere. */
export const nestedHost: LayoutTexts = {
  mountinfo: `500 400 0:60 / / rw - overlay overlay rw
501 500 0:61 / /sys ro - sysfs sysfs ro
502 501 0:62 / /sys/fs/cgroup rw - tmpfs tmpfs rw
503 502 0:28 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
504 500 0:28 / /host\\040files/memory rw - cgroup cgroup rw,memory
505 502 0:29 /docker/abc /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
506 502 0:63 / /sys/fs/cgroup/pids rw - tmpfs tmpfs rw
507 502 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
garbage
508 500 0:32
`,
  cgroups: "",
  controllers: "memory pids"
}

/** Files of a container's directories on `separateHost`, as far as they matter. */
export const separateFiles: ReadonlySet<string> = new Set([
  "cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.idle", "cpu.rt_period_us", "cpu.rt_runtime_us", "cpu.shares", "cpu.stat",
  "cpuset.cpus", "cpuset.mems", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control",
  "memory.soft_limit_in_bytes", "memory.swappiness", "devices.allow", "devices.deny", "freezer.state", "pids.max",
  "blkio.bfq.weight", "blkio.bfq.weight_device", "blkio.throttle.read_bps_device", "blkio.throttle.read_iops_device",
  "blkio.throttle.write_bps_device", "blkio.throttle.write_iops_device", "cgroup.freeze", "cgroup.kill"
])

/** The same on `unifiedHost`. */
export const unifiedFiles: ReadonlySet<string> = new Set([
  "cgroup.freeze", "cgroup.kill", "cpu.idle", "cpu.max", "cpu.weight", "cpuset.cpus", "cpuset.mems", "hugetlb.2MB.max",
  "hugetlb.2MB.rsvd.max", "io.max", "io.weight", "memory.high", "memory.low", "memory.max", "memory.swap.max", "pids.max"
])
