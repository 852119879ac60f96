# shellcheck shell=bash
# nodejs22.x and the like: Node.js and its runtime interface client, from npm. The client's native part is compiled with the flags that its own
# installation uses, but without node-gyp, which needs eighty packages.
case $1-$2 in
20.x-x86_64) node=20.20.2 sha=3de1d033cc007661ed640d66068732819c6ce4b8945adb097b3413901774898f7cecaa46ac3d4edad544c9dbcc662b9771e45a9f1b7bae34e70c407038fba3a1 ;;
22.x-x86_64) node=22.23.5 sha=de3842fb07285b1299c5c46a176b144a5d1cf47117167babfe7b883f1e8ee8258a5748ce516426ec7b70e52b97aaa94c084862d1c26ac9b14f11be6185c06233 ;;
24.x-x86_64) node=24.22.3 sha=287b286fe16ff587ab013bd8ba331b8b226a9d10af2edadcaff79336a46a88e486a7dec43a244fd723f8efe9271a043fc677375d8f31ce45b9f3b76567336a44 ;;
20.x-arm64) node=20.20.2 sha=2c25c99cd4c58b21ae601c36819488e4e04531b92300fb7cb2a0ff34aad6a04d90983812b9b4ea16783a19a349f4427c1e9c413067165a96db72ce15a3e0a71a ;;
22.x-arm64) node=22.23.5 sha=7b52ce506295aee3c6b8b56eb67f3e0a09b9a48d403e6e0abe1fb36dbfea7bf6690fdb3e4d06f2e6252064e5a63e96d22a98f44ddf033f53743449d76ac1e2ce ;;
24.x-arm64) node=24.22.3 sha=219c74279dbfd4d0f002c6368b2591f6794f218b98be24d67ad8e3f3e125bd8421dbe5d184b7c27e46c5105ff63b9bc623685c51bc8f34757e9f3df8d856c95f ;;
esac
for tool in cmake g++ make xz; do need $tool cmake g++ make xz-utils; done
binary=node-linux-${2/x86_64/x64}
client=4.0.2
from_npm "$binary" "$node" "$sha"
from_npm aws-lambda-ric $client 144e55b24c7b998367a809d65895d43ac2e9d951a076c26c0a844b1536bc2f8624d1056d02ba91f2ae7cc8f03ef900b56bbdd95895c1436007df59c802fecd39
from_npm node-addon-api 8.9.2 5628cb5db8b750008debd2342555c9b17e2d8c00a336840382fda04c5eacc76c16122f2d912836797f29e60488162f33dbe0cbde81e663a3b229c7b7f120e896
mkdir -p lang/bin runtime
mv "$binary/bin/node" lang/bin/
aws-lambda-ric/scripts/preinstall.sh >build.log 2>&1 || { tail -n 40 build.log >&2; exit 1; }
built=$PWD/aws-lambda-ric/deps/artifacts
g++ -std=c++20 -O3 -flto -fPIC -shared -fvisibility=hidden -Wl,--gc-sections -DNODE_GYP_MODULE_NAME=rapid_client -DBUILDING_NODE_EXTENSION \
  -I "$binary/include/node" -I node-addon-api -I "$built/include" aws-lambda-ric/src/native/rapid-client.cc \
  "$built/lib/libaws-lambda-runtime.a" "$built/lib/libcurl.a" -pthread -o runtime/rapid-client.node
mv aws-lambda-ric/index.mjs aws-lambda-ric/package.json runtime/
rm -r aws-lambda-ric
start=/var/runtime/index.mjs
# 3.3.0 is the last client that calls handlers with a callback and has its own error for an unhandled rejection. It works with the native part
# of 4.0.2, because the native parts are the same.
if [[ $1 != 24.x ]]; then
  client=3.3.0 start=/var/runtime/start.mjs
  from_npm aws-lambda-ric $client f69d3a4db2952b86b4e74358fef60ec61307be722252ee68d56d3ffeaeb234b4aa03f73dd699f804e8f70b7b114e9a6591436c189754e6a5b2536493a3a2fc84
  mv aws-lambda-ric/dist/index.mjs runtime/
  echo 'import { run } from "./index.mjs"; await run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER)' >runtime/start.mjs
fi
rm -rf "$binary" aws-lambda-ric node-addon-api build.log
# The flags for the heap are those of Lambda's own bootstrap.
# shellcheck disable=SC2016 # the bootstrap expands these variables
bootstrap '/var/lang/bin/node --expose-gc --max-http-header-size 81920 --max-semi-space-size=$((new / 2)) --max-old-space-size=$((memory - new)) '$start \
  'memory=$AWS_LAMBDA_FUNCTION_MEMORY_SIZE new=$((memory / 10))'
environment "NODE_PATH=/opt/nodejs/node${1%.x}/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task" "AWS_EXECUTION_ENV=AWS_Lambda_nodejs$1"
echo "node $node, client $client" >label
