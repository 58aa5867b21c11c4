#!/usr/bin/env bash
# Proves that a clone is enough: makes a bare Debian 12 root with nothing but git and ca-certificates, clones the last commit
# into it, runs the commands there, and says how long each took. Needs root, debootstrap and Debian 12's apt sources.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
Usage: tests/bare-machine.sh [--keep] [COMMAND…]

Runs each COMMAND in a fresh clone in a bare Debian 12 root; by default 'script/demo --once' and 'script/test'.

  --keep   leave the root where it is (its path is printed), to look into it

Example: tests/bare-machine.sh --keep 'script/test quick'
END
}

fail() {
    printf 'bare-machine: %s\n' "$1" >&2
    exit 1
}

# Inside a mount namespace of its own: what is mounted here is gone when it ends, whatever happens.
run_in_root() { # ROOT COMMAND
    mount --bind "$1" "$1"
    mkdir -p "$1/old_root"
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/tmp"
    local variables=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 CI=true)
    local name
    for name in http_proxy https_proxy no_proxy; do
        if [ -n "${!name:-}" ]; then
            variables+=("$name=${!name}")
        fi
    done
    # Not chroot: the kernel lets no chrooted process make a user namespace, and a test mounts a small disk in one.
    cd "$1"
    pivot_root . old_root
    umount -l /old_root
    exec env -i "${variables[@]}" bash -c "cd /leftfold && $2" </dev/null
}

if [ "${1:-}" = --inside ]; then
    run_in_root "$2" "$3"
fi

keep=false
commands=()
for argument in "$@"; do
    case $argument in
        --keep) keep=true ;;
        --help | -h) usage && exit 0 ;;
        -*) usage >&2 && exit 2 ;;
        *) commands+=("$argument") ;;
    esac
done
if [ ${#commands[@]} -eq 0 ]; then
    commands=('script/demo --once' 'script/test')
fi

[ "$(id -u)" -eq 0 ] || fail "needs root, for chroot"
command -v debootstrap >/dev/null || fail "needs debootstrap: apt-get install debootstrap"
[ -z "$(git status --porcelain)" ] || echo "bare-machine: note: what is not committed is not in the clone" >&2

suite=bookworm
sources=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v suite="$suite" '$2 ~ "^" suite && $3 == "main" && !seen[$0]++')
mirror=$(awk -v suite="$suite" '$2 == suite { print $1; exit }' <<<"$sources")
[ -n "$mirror" ] || fail "no apt source of this machine has $suite main"

root=$(mktemp -d "${TMPDIR:-/tmp}/leftfold-bare-XXXXXX")
chmod 755 "$root"
clean_up() {
    if $keep; then
        echo "bare-machine: the root is $root"
    else
        rm -rf --one-file-system "$root"
    fi
}
trap clean_up EXIT

started=$SECONDS
log=$root.log
debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$root" "$mirror" >"$log" 2>&1 ||
    { tail -n 20 "$log" && fail "debootstrap failed (whole log: $log)"; }
rm -f "$log"
awk '{ print "deb", $1, $2, $3 }' <<<"$sources" >"$root/etc/apt/sources.list"
apt-config dump | grep -E '^Acquire::(http|https)::' >"$root/etc/apt/apt.conf.d/90host" || true
cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
times=("$(printf '%6d s  bare Debian root, with git and ca-certificates' $((SECONDS - started)))")

git clone --quiet --bare --no-hardlinks . "$root/leftfold.git"
chroot "$root" git clone --quiet /leftfold.git /leftfold
echo "bare-machine: $(chroot "$root" dpkg-query -W | wc -l) packages before, commit $(git rev-parse --short HEAD)"

for command in "${commands[@]}"; do
    printf '\n##### %s\n' "$command"
    started=$SECONDS
    unshare --mount --propagation private bash "$PWD/tests/bare-machine.sh" --inside "$root" "$command" ||
        fail "'$command' failed after $((SECONDS - started)) s"
    times+=("$(printf '%6d s  %s' $((SECONDS - started)) "$command")")
done
printf '\nbare-machine: all passed\n'
printf '%s\n' "${times[@]}"
