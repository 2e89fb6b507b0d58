'use strict';
/*
 * Loaded by `node --require` into the Node programs of a service that has Node's IPC. It gives them
 * what child_process.fork() would: process.send, process.connected, process.disconnect,
 * process.channel and the events 'message' and 'disconnect'; over a Unix socket whose path is in
 * DEVRUN_IPC, one JSON text per line. See ipc.py for the other end.
 *
 * Nothing is opened before the program sends or listens. Programs between devrun and the application
 * may do so too, as nodemon does; once a program has said 'ready', it is the application, and what it
 * starts afterwards does not find the variable. Package managers are passed over.
 *
 * The channel keeps a program alive while that listens, as Node's own does, but only if it has sent
 * something as well: a tool that listens in case it was forked, as exit-hook does, has to end.
 * Nothing is ever printed.
 */
(() => {
  const PACKAGE_MANAGER =
    /(?:^|[\\/])(?:npm|npx|pnpm|pnpx|yarn|yarnpkg|corepack)(?:-cli)?(?:-\d[\w.-]*)?(?:\.[cm]?js)?$/;
  const LISTENS = { message: 0, disconnect: 0 };

  const path = process.env.DEVRUN_IPC;
  if (!path || process.send || PACKAGE_MANAGER.test(process.argv[1] || '')) return;
  if (!require('worker_threads').isMainThread) return;

  let socket = null;
  let hasSent = false;
  let wanted = null; // What the program said with process.channel.ref() and unref().
  let held = []; // Messages that came while nobody listened.

  function open() {
    if (socket !== null || !process.connected) return;
    let rest = '';
    socket = require('net').connect(path);
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      lines.forEach(take);
    });
    socket.on('error', () => {}); // 'close' follows.
    socket.on('close', closed);
  }

  function hold() {
    if (socket === null) return;
    const listens = LISTENS.message + LISTENS.disconnect > 0;
    if (wanted === null ? listens && hasSent : wanted) socket.ref();
    else socket.unref();
  }

  function take(line) {
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      return;
    }
    held.push(message);
    process.nextTick(deliver);
  }

  function deliver() {
    if (held.length === 0 || process.listenerCount('message') === 0) return;
    if (held.length > 1) process.nextTick(deliver); // Also if a listener throws.
    process.emit('message', held.shift(), undefined);
  }

  function closed() {
    if (process.channel === undefined) return;
    process.connected = false;
    process.channel = undefined;
    process.emit('disconnect');
  }

  /* Write at once, so that a message outlives process.exit() behind it, as it does with Node's own
   * channel: connect(2) on a Unix socket is done when connect() returns, though Node does not say
   * so before the next turn of its loop. What does not fit is left to Node. */
  function write(line, callback) {
    let rest = Buffer.from(line);
    if (socket.writableLength === 0) {
      try {
        rest = rest.subarray(require('fs').writeSync(socket._handle.fd, rest));
      } catch {
        // Full, closed, or no descriptor to be had.
      }
    }
    if (rest.length > 0) return socket.write(rest, callback);
    if (callback) process.nextTick(callback, null);
    return true;
  }

  function failure(code, text) {
    return Object.assign(new Error(text), { code });
  }

  process.send = function send(message, handle, options, callback) {
    if (typeof handle === 'function') [callback, handle] = [handle, undefined];
    else if (typeof options === 'function') callback = options;
    if (!['string', 'number', 'boolean', 'object'].includes(typeof message)) {
      const what = 'The "message" argument must be a string, an object, a number or a boolean';
      throw Object.assign(new TypeError(what), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    if (handle) throw failure('ERR_INVALID_HANDLE_TYPE', 'devrun takes messages, but no handles');
    const line = `${JSON.stringify(message)}\n`;
    if (message === 'ready') delete process.env.DEVRUN_IPC;
    hasSent = true;
    open();
    hold();
    if (process.connected) return write(line, callback);
    if (callback) process.nextTick(callback, failure('ERR_IPC_CHANNEL_CLOSED', 'Channel closed'));
    return false;
  };

  process.disconnect = function disconnect() {
    if (!process.connected) return;
    process.connected = false;
    if (socket === null) process.nextTick(closed);
    else socket.end();
  };

  process.connected = true;
  process.channel = {
    ref() {
      wanted = true;
      open();
      hold();
    },
    unref() {
      wanted = false;
      hold();
    },
  };

  function listens(name, change) {
    if (!(name in LISTENS)) return;
    const before = LISTENS.message;
    LISTENS[name] = Math.max(0, LISTENS[name] + change);
    if (change > 0) open();
    hold();
    if (name !== 'message' || !process.connected) return;
    if (before === 0 || LISTENS.message === 0) {
      write(`{"cmd":"NODE_DEVRUN","listens":${LISTENS.message > 0}}\n`);
    }
    process.nextTick(deliver);
  }

  process.on('newListener', (name) => listens(name, 1));
  process.on('removeListener', (name) => listens(name, -1));
})();
