// Node runs this ahead of jsii, see infra/app.
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');

// The first synth on a machine unpacks the CDK under a lock. Another synth waits for the lock 13 s on average and then
// fails (EEXIST), or removes the lock after 10 s because it takes the owner for dead. That is too soon if several first
// synths run on a busy machine. So here a lock is respected for a minute.
const open = fs.openSync;
fs.openSync = (file, ...options) => {
  for (;;) {
    try {
      return open(file, ...options);
    } catch (error) {
      if (error.code !== 'EEXIST' || !String(file).endsWith('.lock')) throw error;
      const lock = fs.statSync(file, { throwIfNoEntry: false });
      if (lock && Date.now() - lock.ctimeMs > 60_000) throw error; // jsii removes it
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50); // a synchronous sleep
    }
  }
};

// At each synth jsii reads the description of every type of the CDK, 78 MB. Two thirds of that are words and line numbers
// for makers of bindings. The rest is kept in build/jsii, named by the digest of the whole. If it is not there, jsii
// reads the whole.
const unused = new Set(['docs', 'locationInModule', 'readme', 'symbolId']);
const unpack = zlib.gunzipSync;

zlib.gunzipSync = (packed, ...options) => {
  if (packed.length < 1e6) return unpack(packed, ...options);
  const folder = path.join('build', 'jsii');
  const kept = path.join(folder, crypto.createHash('sha256').update(packed).digest('hex') + '.json');
  try {
    return fs.readFileSync(kept);
  } catch {
    const whole = unpack(packed, ...options);
    try {
      const part = JSON.stringify(JSON.parse(whole.toString()), (key, value) => (unused.has(key) ? undefined : value));
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(`${kept}.${process.pid}`, part);
      fs.renameSync(`${kept}.${process.pid}`, kept); // several may do so at the same time
    } catch {}
    return whole;
  }
};
