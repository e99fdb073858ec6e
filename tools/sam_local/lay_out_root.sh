#!/usr/bin/env bash
# lay_out_root.sh OUT.tar: the root file system of an image like Lambda's python3.13, from this machine's own Debian packages.
# No container registry is asked. Needs Debian 13 (its python3.13 is the one inside), root (chroot), and .venv/bin first on the PATH.
#
# Unlike Lambda's: Debian's glibc 2.41 instead of Amazon Linux 2023's 2.34 (the packaging tests check the wheels for that), and
# the function runs as root.
set -euo pipefail
out=$1
here=$(cd "$(dirname "$0")" && pwd)
image=$here/lambda_image
site_packages=var/lang/lib/python3.13/site-packages

case "$(uname -m)" in
  x86_64) platform=x86_64-manylinux_2_28 ;;
  aarch64 | arm64) platform=aarch64-manylinux_2_28 ;;
  *) echo "no Lambda runtime for $(uname -m)" >&2; exit 2 ;;
esac

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

# The files of the packages, without documentation; /bin, /lib and so on as the symbolic links that they are.
mapfile -t packages < "$image/packages.txt"
files=$(dpkg -L "${packages[@]}" | sort -u |
  grep -vE '^/usr/share/(doc|man|locale|lintian|bug)|^/(bin|lib|lib64|sbin)(/|$)|^/\.$' |
  while read -r path; do if [ -e "$path" ]; then echo "$path"; fi; done)
for link in /bin /lib /lib64 /sbin; do if [ -e "$link" ]; then files+=$'\n'$link; fi; done
tar --no-recursion -cf - -T - <<<"$files"$'\n'/etc/ssl/certs/ca-certificates.crt 2>/dev/null | tar -xf - -C "$root"

mkdir -p "$root"/{proc,sys,dev,etc,tmp,root,run,opt,var/{task,runtime,rapid,tmp,lang/bin}}
chmod 1777 "$root"/{tmp,var/tmp}
ln -sfn dash "$root/usr/bin/sh"
echo 'root:x:0:0:root:/root:/bin/sh' > "$root/etc/passwd"
echo 'root:x:0:' > "$root/etc/group"
for name in python3.13 python3 python; do ln -sf /usr/bin/python3.13 "$root/var/lang/bin/$name"; done
install -m 755 "$image/bootstrap" "$root/var/runtime/"

# Lambda's runtime brings its client, and a boto3 that is left out here: the core layer must bring its own.
client=$(python -c 'import importlib.metadata as m; print(f"awslambdaric=={m.version("awslambdaric")}")')
uv pip install --quiet --target "$root/$site_packages" --python-version 3.13 --python-platform "$platform" --only-binary :all: \
  --constraint "$here/../../requirements/dev.txt" "$client"
# Without bytecode the first call of every container takes half a second longer.
/usr/bin/python3.13 -m compileall -q -j 0 -s "$root" -p / --invalidation-mode unchecked-hash \
  -x 'test/|/(idlelib|turtledemo|lib2to3|ensurepip)/' "$root/usr/lib/python3.13" "$root/$site_packages"

# A missing library must fail here, not as an endless initialisation inside a container.
PYTHONPATH=/$site_packages chroot "$root" /var/lang/bin/python3.13 -S -c 'import ctypes, runtime_client, sqlite3, ssl'

tar -C "$root" --numeric-owner --owner=0 --group=0 -cf "$out" .
