// Node runs this ahead of jsii, see infra/app.
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');

// The first synth on a machine unpacks the CDK under a lock, for which another one waits 13 s on average and then fails (EEXIST), or takes it
// away after 10 s as a dead process's: too soon for several first synths on a busy machine. Here a lock is left alone for a minute.
const open = fs.openSync;
fs.openSync = (file, ...options) => {
  for (;;) {
    try {
      return open(file, ...options);
    } catch (error) {
      if (error.code !== 'EEXIST' || !String(file).endsWith('.lock')) throw error;
      const lock = fs.statSync(file, { throwIfNoEntry: false });
      if (lock && Date.now() - lock.ctimeMs > 60_000) throw error; // jsii takes it away
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50); // a synchronous sleep
    }
  }
};

// At each synth jsii reads what is known of every type of the CDK: 78 MB, two thirds of which are
// words and line numbers for whoever makes bindings. The rest is kept in build/jsii by the digest of the whole; without it jsii reads the whole.
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
      fs.renameSync(`${kept}.${process.pid}`, kept); // several may do so at a time
    } catch {}
    return whole;
  }
};
