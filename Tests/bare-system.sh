#!/usr/bin/env bash
# Shows that the archive of `make dist` runs where there is nothing: unpacked by an ordinary user in a bare Debian 12, without
# Swift, network, home or locale, it replays the tutorial, under AVX2 as well. Builds that system with debootstrap, which needs
# root and Debian's mirror (MIRROR=URL for another than its own), and removes it again.
#
#   Tests/bare-system.sh [ARCHIVE]      (the newest in .build if left out)
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "bare-system: $1" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "debootstrap, chroot and unshare need root. Use sudo."
command -v debootstrap >/dev/null || fail "there is no debootstrap. Install it: apt-get install debootstrap"
archive=${1:-$(ls -t .build/fettle-*-linux-*.tar.gz 2>/dev/null | head -n 1)}
[ -f "$archive" ] || fail "there is no archive. Make one first: make dist"

system=$(mktemp -d /var/tmp/fettle-bare-XXXXXX)
chmod 755 "$system"
trap 'rm -rf --one-file-system "$system"' EXIT
echo "Building a bare Debian 12"
debootstrap --variant=minbase bookworm "$system" ${MIRROR:+"$MIRROR"} >"$system.log" 2>&1 ||
  { tail -n 20 "$system.log" >&2; rm -f "$system.log"; fail "debootstrap failed"; }
rm -f "$system.log"
cp "$archive" "$system/archive.tar.gz"
install -d -m 777 "$system/lesson"

cat >"$system/check.sh" <<'END'
set -euo pipefail
fail() { echo "bare-system: $1" >&2; exit 1; }

[ "$(id -u)" != 0 ] || fail "this runs as root"
! command -v swift || fail "Swift is here"
[ "$(grep -c : /proc/net/dev)" -le 1 ] || fail "there is a network"
cd /lesson
tar xzf /archive.tar.gz
folder=$(echo /lesson/fettle-*)
fettle=$folder/fettle

# What does not come from the archive may only be the C library's.
foreign=$(ldd "$fettle" | grep -vE "$folder/lib/|linux-vdso|ld-linux|lib(c|m|resolv)\.so" || true)
[ -z "$foreign" ] || fail "these libraries are the system's: $foreign"

mkdir elsewhere && cd elsewhere
"$fettle" --version
for isa in DEFAULT AVX2; do
  echo "The tutorial, ONEDNN_MAX_CPU_ISA=$isa"
  ONEDNN_MAX_CPU_ISA=$isa "$fettle" replay Sessions/tutorial.md >replay.txt || { cat replay.txt; fail "the tutorial does not replay"; }
  tail -n 1 replay.txt
  grep -q '^[1-9][0-9]* passed, 0 failed$' replay.txt || fail "the replay does not say what passed"
done
"$fettle" load Samples/news-1.csv
"$fettle" interface load Samples/interface.json >/dev/null
answer=$("$fettle" --json classify Ferry strike enters second week as islands ration fuel.)
echo "$answer"
[[ $answer == *'"category":"WORLD_NEWS"'* ]] || fail "classify did not say WORLD_NEWS"
"$fettle" replay .fettle/session.md | grep -q '^3 passed, 0 failed$' || fail "the new session does not replay"
"$fettle" model install | grep -q 'installed already' || fail "the archive's model is not taken for installed"
END

unshare --mount --net --pid --fork --mount-proc="$system/proc" \
  chroot --userspec=65534:65534 --groups= "$system" env -i PATH=/usr/bin:/bin LC_ALL=C bash /check.sh ||
  fail "the archive does not run there"
echo "The archive runs in a bare system."
