#!/bin/bash
# Process 1 of one machine of the test fleet, in namespaces of its own (network, mount, process, host name). When it is
# killed the kernel kills everything that it started: that is a power reset. The "disk" ($dir) outlives it.
set -eu

# /proc is still that of the host, so this is the process id by which the tests can kill the machine.
read -r host_pid _ </proc/self/stat
echo "pid $host_pid"

echo "$name" >/proc/sys/kernel/hostname
for file in passwd shadow group sudoers hosts; do mount --bind "$dir/etc/$file" "/etc/$file"; done
mount --bind "$dir/etc/ssh" /etc/ssh
mount --bind "$dir/log" /var/log
mount --bind "$dir/srv" /srv
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/sshd /run/faults /run/lock
mount --bind "$dir/faults" /run/faults
touch /run/node /run/boot_id
mount --bind "$node" /run/node
mount --bind "$dir/boot_id" /run/boot_id
mount -t proc proc /proc
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
# The other machines' disks are nobody's business here.
mount -t tmpfs -o mode=755 hidden "$fleet_dir"
mount -t tmpfs -o mode=1777 tmp /tmp
cd /

# A reboot forgets cuts; rules in the tables `fault` and `door` stand for the network around the machine and stay.
for cut in $(nft list tables inet | grep -o 'cut_[a-z]*' || true); do nft delete table inet "$cut"; done

if [[ -n ${ssh_only_from-} ]]; then
  nft -f - <<RULES
table inet door
delete table inet door
table inet door {
  chain in { type filter hook input priority 0; iifname eth0 tcp dport 22 ip saddr != $ssh_only_from drop; }
}
RULES
fi

/usr/sbin/sshd -E /var/log/sshd.log
waits_for=22
if [[ $role == server ]]; then
  touch /run/api.pid && chown neap /run/api.pid
  setpriv --reuid=neap --regid=neap --init-groups /run/node /srv/api/lib/main.ts >>/var/log/api.log 2>&1 &
  waits_for='22 8081'
fi
for port in $waits_for; do
  # 20 s at most: a machine with few cores starts a dozen of these at once.
  for _ in {1..1000}; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue 2; fi
    sleep 0.02
  done
  echo "nothing listens on port $port" >&2
  exit 1
done
echo ready
# Bash reaps whatever is orphaned onto process 1 while it waits.
sleep infinity &
wait
