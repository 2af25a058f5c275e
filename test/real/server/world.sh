#!/bin/bash
# Process 1 of the world in which a test fleet lives: a network namespace that is the switch between the machines, and
# a mount namespace that holds their disks. It ends when its standard input ends, so a test process that dies in
# whatever way leaves no process, namespace, link, mount or file behind.
set -eu

# Also when nobody is left to read the line below.
clean_up() {
  kill -KILL -1 2>/dev/null || true
  umount --lazy "$fleet_dir"/*/srv 2>/dev/null || true
  rm -rf "$fleet_dir"
}
trap clean_up EXIT

read -r host_pid _ </proc/self/stat
mount -t tmpfs -o mode=755 run /run
mkdir /run/netns
ip link set lo up
ip link add switch type bridge
ip link set switch up
echo "pid $host_pid"
cat >/dev/null || true
