#!/bin/busybox sh
# The first process of the guest: makes it a machine with cgroup v2, runs the tests, and switches it off.
# The console shows what happens; results go to the second serial line, one JSON document per line.
export PATH=/usr/bin:/bin HOME=/root

if [ "${1:-}" != second ]; then
  # The kernel's first root has no parent, so that no process could leave it by pivot_root(2): go on in a mount of it.
  busybox mount -o bind / /mnt
  cd /mnt || exit 1
  busybox mount -o move . /
  exec busybox chroot . /init second
fi

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/ttyS0 2>&1
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
hostname guest

while read -r module parameters; do
  # shellcheck disable=SC2086 # a list of words
  insmod "/modules/$module" $parameters || echo "guest: no module $module"
done </modules/order

# Files of tests are on a disk, as in use.
/usr/bin/mke2fs -q -t ext4 -O ^has_journal /dev/ram1 && mount -t ext4 /dev/ram1 /mnt || echo 'guest: no disk'
chmod 1777 /mnt

stty -F /dev/ttyS1 raw -echo
# shellcheck disable=SC2046 # a list of paths
CI=true TMPDIR=/mnt node /app/build/test/vm/guest/main.js /dev/ttyS1 $(cat /tests)
echo "guest: tests ended with $?"
poweroff -f
