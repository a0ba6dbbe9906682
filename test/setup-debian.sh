#!/bin/sh
# Installs the Debian packages that the tests use, as root on a machine with apt-get, when one is missing.
# Starts no service: a registry is started by the tests that need one, on a port of their own.
set -eu

packages='attr busybox-static crun debootstrap docker-registry docker.io iproute2 libseccomp2 musl-tools nftables openssl podman'
packages="$packages runc skopeo strace tmux umoci vim-tiny"
# The other architecture's compiler and emulator; the guest of the suite vm is that of an x86-64 machine.
case $(uname -m) in
  x86_64)
    packages="$packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static linux-image-cloud-amd64 qemu-system-x86"
    ;;
  aarch64) packages="$packages gcc-x86-64-linux-gnu libc6-dev-amd64-cross qemu-user-static" ;;
esac
policy=/usr/sbin/policy-rc.d
saved=$policy.saved-by-tscontainer-tests

missing=''
if command -v dpkg-query >/dev/null; then
  for package in $packages; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
  done
else
  missing=$packages
fi

if [ "$(id -u)" != 0 ]; then
  echo 'tests: not root, so the suites integration, security and e2e cannot run; unit, contract and architecture can'
  exit 0
fi

# An earlier run that was killed may have left the machine's own policy aside.
restore_policy() {
  if [ -e "$saved" ]; then mv -f "$saved" "$policy"; else rm -f "$policy"; fi
}
if [ -e "$saved" ]; then restore_policy; fi

[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
  echo "tests: these programs are needed, and there is no apt-get to install them with:$missing" >&2
  exit 0
fi

echo "tests: installing$missing"
if [ -e "$policy" ]; then cp -p "$policy" "$saved"; fi
trap restore_policy EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
# One source out of several may be unreachable: what counts is whether the packages can be installed.
apt-get -qq update </dev/null || echo 'tests: apt-get update failed; trying with the package lists that are here' >&2
# shellcheck disable=SC2086 # a list of words
apt-get -qq install --yes --no-install-recommends $missing </dev/null >/dev/null
