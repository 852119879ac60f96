# shellcheck shell=bash
# python3.13 and the like: this machine's interpreter and standard library, and the runtime interface client from PyPI.
find_python() { # find_python VERSION: prints the real path of the interpreter
  local candidate said
  for candidate in "python$1" python3 "$HOME/.pyenv/versions/$1".*/bin/"python$1" /usr/bin/python3; do
    said=$("$candidate" -I -c 'import os, sys; print("%d.%d" % sys.version_info[:2], os.path.realpath(sys.base_prefix + "/bin/python%d.%d" % sys.version_info[:2]))' 2>/dev/null) || continue
    if [[ $said == "$1 "* && -x ${said#* } ]]; then echo "${said#* }" && return; fi
  done
  echo "there is no Python $1 in PATH or in ~/.pyenv: install it" >&2
  exit 1
}

python=$(find_python "$1")
mkdir -p lang/bin lang/lib
cp "$python" "lang/bin/python$1"
library=$("$python" -I -c 'import sysconfig; print(sysconfig.get_paths()["stdlib"])')
shared=$("$python" -I -c 'import sysconfig; v = sysconfig.get_config_var; print(v("LIBDIR") + "/" + v("INSTSONAME") if v("Py_ENABLE_SHARED") else "")')
if [[ -e $shared ]]; then cp -L "$shared" lang/lib/; fi
# The parts that functions do not need are left out, for example tests. The files in __pycache__ are made again below.
tar -c -C "$(dirname "$library")" --exclude={__pycache__,site-packages,dist-packages,test,tests,idlelib,tkinter,turtledemo,ensurepip,'config-*'} "$(basename "$library")" |
  tar -x --no-same-owner -C lang/lib
packages=lang/lib/python$1/site-packages
from_pypi "$packages" "$1" awslambdaric==4.2.2 \
  ea87f581768a7558b493a59ee9f4de6dcbc6444b888169afa01af71396ed731d \
  f04e362be24ae21f34beb9ad4847f94ebb915ccd5120925a227f721af20a411d \
  2215bca01bbdbdfa9579bb4204f55d3e91e6dee589b88f8f9d20a285a790c468 \
  a153a632c70b6bb3f2783bcf609e38182740d812a2424be03a26782484ff6610 \
  0bfd063e2b4c3f1c58e5a561fab3a15d71ed85dbfacb0a7a693b8d20f1d1c544 \
  1c6c1a9df7b32043f820204c035c0c9496b8203c8a39331712cb5f058ea6be8f \
  bd3ebafddd6c3283a2c7f121164f304273256c7fe3f9847be44d0c5f6fd2d792 \
  702ead5196cf5ff30dcab997e4e4fca7ba020a258fa5ef996ef95955a0abab25
from_pypi "$packages" "$1" simplejson==3.20.2 \
  21e7a066528a5451433eb3418184f05682ea0493d14e9aae690499b7e1eb6b81 \
  979ce23ea663895ae39106946ef3d78527822d918a136dbc77b9e2b7f006237e \
  133ae2098a8e162c71da97cdab1f383afdd91373b7ff5fe65169b04167da976b \
  3b6bb7fb96efd673eac2e4235200bfffdc2353ad12c54117e1e4e2fc485ac017 \
  51eccc4e353eed3c50e0ea2326173acdc05e58f0c110405920b989d481287e51 \
  12a6b2816b6cab6c3fd273d43b1948bc9acf708272074c8858f579c394f4cbc9 \
  552f55745044a24c3cb7ec67e54234be56d5d6d0e054f2e4cf4fb3e297429be5
from_pypi "$packages" "$1" snapshot-restore-py==1.0.0 \
  38f99e696793790f54658e71c68c7a8a40cea877c81232b5052383b1301aceba
cat >bootstrap.py <<'END'
import os
import sys

packages = "/opt/python/lib/python%d.%d/site-packages" % sys.version_info[:2]
sys.path[0:1] = [os.environ["LAMBDA_TASK_ROOT"], packages, "/opt/python"]
from awslambdaric.__main__ import main

main([sys.argv[0], os.environ["_HANDLER"]])
END
bootstrap "/var/lang/bin/python$1 /var/runtime/bootstrap.py"
mv bootstrap.py runtime/
"$python" -I -m compileall -q -j 2 -s lang -p /var/lang lang || true # it fails, because some files of the library have wrong syntax on purpose
environment PYTHONPATH=/var/runtime "AWS_EXECUTION_ENV=AWS_Lambda_python$1"
echo "Python $("$python" -I -c 'import platform; print(platform.python_version())'), client 4.2.2" >label
