# Prints what a container sees of itself, section by section, in a form that two runtimes can be compared by.
section() { echo "## $1"; }
section identity; id; umask; pwd; hostname; cat /proc/sys/kernel/domainname; cat /proc/self/oom_score_adj
section status; grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):' /proc/self/status
section limits; grep -vE '^Limit' /proc/self/limits
section environment; env | grep -vE '^(SHLVL|_|OLDPWD|PWD)=' | sort
section descriptors; (cd /proc/self/fd && for fd in *; do echo "$fd"; done) | sort -n | tr '\n' ' '; echo
section namespaces; for n in pid net ipc mnt uts user cgroup time; do
  if [ "$(readlink /proc/self/ns/$n)" = "$(eval echo \$HOST_$n)" ]; then echo "$n host"; else echo "$n own"; fi; done
section mounts; sed -E 's/^[0-9]+ [0-9]+ [0-9]+:[0-9]+ ([^ ]+) ([^ ]+) ([^ ]+) (.*)?- ([^ ]+) [^ ]+ ([^ ]+)$/\2 \5 \3 \4/' /proc/self/mountinfo |
  grep -vE '^/ ' | sed -E 's/(master|shared|propagate_from):[0-9]+/\1/g' | sort
section root; sed -nE 's/^[0-9]+ [0-9]+ [0-9]+:[0-9]+ [^ ]+ \/ ([^ ]+) (.*)?- .*/\1 \2/p' /proc/self/mountinfo; touch /probe-write 2>/dev/null && echo writable && rm /probe-write
section devices; ls -l /dev | awk 'NR>1 { if ($1 ~ /^[cb]/) print $1, $3, $4, $5, $6, $NF; else print substr($1, 1, 10), $(NF-2), $(NF-1), $NF }' | sed -E 's/[0-9][0-9]:[0-9][0-9] //' | sort
section open; for d in null zero full random urandom tty; do (: < /dev/$d) 2>/dev/null && echo "opened $d"; done
mknod /tmp/disk b 254 0 2>/dev/null && { dd if=/tmp/disk of=/dev/null bs=512 count=1 2>/dev/null && echo "read a disk"; rm -f /tmp/disk; }
section masks; for p in /proc/kcore /proc/keys /proc/timer_list /proc/scsi /proc/acpi /sys/firmware /proc/interrupts; do
  [ -e $p ] && { if [ -d $p ]; then echo "$p $(ls $p 2>/dev/null | wc -l)"; else echo "$p $(head -c 16 $p 2>/dev/null | wc -c)"; fi; }; done
for p in /proc/sys/kernel/shmmax /proc/sysrq-trigger /proc/irq /proc/bus; do [ -w $p ] && (: >> $p) 2>/dev/null && echo "writable $p"; done
section sysctls; for s in net/ipv4/ip_forward net/ipv4/ip_unprivileged_port_start net/ipv4/ping_group_range kernel/shmmax kernel/msgmax kernel/sem fs/mqueue/msg_max net/core/somaxconn; do
  [ -e /proc/sys/$s ] && echo "$s $(cat /proc/sys/$s)"; done
section network; ip -o link 2>/dev/null | awk '{print $2, $3}' | sort
section cgroups; cd /sys/fs/cgroup && for f in memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.swappiness memory/memory.oom_control \
  cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpuset/cpuset.cpus cpuset/cpuset.mems pids/pids.max blkio/blkio.throttle.read_bps_device blkio/blkio.throttle.write_bps_device \
  blkio/blkio.throttle.read_iops_device blkio/blkio.throttle.write_iops_device blkio/blkio.bfq.weight devices/devices.list \
  memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus cpuset.mems pids.max io.max io.bfq.weight io.weight; do
  [ -e $f ] && echo "$f $(cat $f | sort | tr '\n' ';')"; done
section session; awk '{print $5, $6, $8}' /proc/self/stat > /dev/null; tty 2>/dev/null; cat /proc/self/comm
