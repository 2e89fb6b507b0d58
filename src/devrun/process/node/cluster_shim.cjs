'use strict';
/*
 * Loaded by `node --require` into the Node programs of a service whose instances share their ports.
 * server.listen() asks devrun for the socket, over a Unix socket whose path is in DEVRUN_PORTS, and
 * listens on what it gets; whatever lies between devrun and the program (sh -c, npm, nodemon) is of
 * no matter. See cluster.py for the messages and primary.py for the other end.
 *
 * Descriptors arrive because the connection is one of Node's IPC pipes (process.binding), and
 * listen() can be met because net.Server calls _listen2, a name that is kept for those who wrap it.
 * Where anything is missing, where devrun is gone, or where it cannot bind, the program listens by
 * itself, and Node says what is wrong. Nothing is opened before the first listen().
 */
(() => {
  const KNOWN_MAJORS = [18, 20, 22, 24, 26];
  const REUSE_PORT = 2; // UV_TCP_REUSEPORT: such servers share their port already.
  const IDLE = 1000; // Milliseconds after which a draining program closes idle connections.

  const path = process.env.DEVRUN_PORTS;
  if (!path || !require('worker_threads').isMainThread) return;
  const net = require('net');
  const listen = net.Server.prototype._listen2;
  if (typeof listen !== 'function') return;

  const servers = new Set(); // What listens on a socket of devrun's.
  const indexes = new Map(); // Which indexes are taken, of servers that ask for the same address.
  const waiting = new Map(); // Who takes the answer to a question, by its number.
  let channel; // null: there is none, and will be none.
  let sent = 0;

  function open() {
    let pipe;
    try {
      const { Pipe, constants } = process.binding('pipe_wrap');
      pipe = new Pipe(constants.IPC);
    } catch {
      return null; // Not allowed (node --permission).
    }
    const socket = new net.Socket({ handle: pipe, manualStart: true });
    let handle = null;
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      // A descriptor comes with the bytes it was attached to, and at most one at a time.
      handle = pipe.pendingHandle || handle;
      pipe.pendingHandle = null;
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (take(JSON.parse(line), handle)) handle = null;
      }
    });
    socket.on('error', () => {}); // 'close' follows.
    socket.on('close', () => {
      channel = null;
      const left = [...waiting.values()];
      waiting.clear();
      for (const answer of left) answer(null, null);
    });
    socket.connect(path);
    return socket;
  }

  function say(message) {
    if (channel) channel.write(`${JSON.stringify({ cmd: 'NODE_CLUSTER', ...message })}\n`);
  }

  /* Take a message; returns whether it came with the descriptor. */
  function take(message, handle) {
    if (message.cmd !== 'NODE_HANDLE') {
      if (message.act === 'disconnect') drain();
      else settle(message, null);
      return false;
    }
    say({ cmd: handle ? 'NODE_HANDLE_ACK' : 'NODE_HANDLE_NACK' });
    if (handle) settle(message.msg, handle);
    return true;
  }

  function settle(message, handle) {
    const answer = waiting.get(message.ack);
    waiting.delete(message.ack);
    if (waiting.size === 0 && channel) channel.unref();
    if (answer) answer(message, handle);
    else if (handle) handle.close();
  }

  function ask(message, answer) {
    if (channel === undefined) {
      channel = open();
      const known = KNOWN_MAJORS.includes(Number.parseInt(process.versions.node, 10));
      if (known) say({ act: 'online' });
      else {
        say({ act: 'unsupported', version: process.version });
        if (channel) channel.end();
        channel = null;
      }
    }
    if (channel === null) return false;
    sent += 1;
    waiting.set(sent, answer);
    channel.ref();
    say({ ...message, seq: sent });
    return true;
  }

  /* Whether listen({ fd }) means one of devrun's sockets, which did not get through to here. */
  function isMissing(fd) {
    if (!(fd >= 3 && fd < 3 + Number(process.env.DEVRUN_LISTEN_FDS || 0))) return false;
    try {
      return !require('fs').fstatSync(fd).isSocket();
    } catch {
      return true;
    }
  }

  net.Server.prototype._listen2 = function _listen2(...given) {
    const [name, port, addressType, , fd, flags] = given;
    const own = this._handle || flags & REUSE_PORT || (typeof fd === 'number' && !isMissing(fd));
    const address = addressType === -1 ? require('path').resolve(name) : name;
    const attempt = this._listeningId;
    const data = this._getServerData ? this._getServerData() : null;
    const [index, leave] = own ? [0, null] : place(`${address}:${port}:${addressType}`);
    const question = { act: 'queryServer', address, port, addressType, fd, flags, index, data };
    const answered = (reply, handle) => {
      if (handle) guard(this, reply.key, handle, leave);
      else leave();
      if (attempt !== this._listeningId) {
        if (handle) handle.close();
        return;
      }
      if (handle) adopt(this, reply, handle, question);
      listen.apply(this, given);
    };
    if (own) listen.apply(this, given);
    else if (!ask(question, answered)) answered(null, null);
  };

  /* Return the lowest index that is free for an address, and what gives it back: servers that ask
   * for any port get the same ones in each generation, as long as they come in the same order. */
  function place(address) {
    if (!indexes.has(address)) indexes.set(address, new Set());
    const taken = indexes.get(address);
    let index = 0;
    while (taken.has(index)) index += 1;
    taken.add(index);
    return [index, () => taken.delete(index)];
  }

  function guard(server, key, handle, leave) {
    const { close } = handle;
    let open = true;
    handle.close = function closeShared(...given) {
      if (open) say({ act: 'close', key });
      open = false;
      servers.delete(server);
      leave();
      return close.apply(this, given);
    };
  }

  function adopt(server, reply, handle, question) {
    if (server._setServerData) server._setServerData(reply.data);
    if (server._handle) server._handle.close();
    server._handle = handle;
    servers.add(server);
    server.once('listening', () => {
      const bound = server.address();
      say({ ...question, data: null, act: 'listening', port: (bound && bound.port) || -1 });
    });
  }

  /* Accept no more, finish what was begun, and close the channel when that is done. A connection
   * that is kept alive is closed with the next answer on it: the client knows then, and loses no
   * request that is on its way. */
  function drain() {
    let left = servers.size;
    const closed = () => {
      left -= 1;
      if (left <= 0 && channel) channel.end();
    };
    if (left === 0) closed();
    for (const server of [...servers]) {
      if (server.closeIdleConnections) {
        server.prependListener('request', (_, response) => {
          response.shouldKeepAlive = false;
        });
        setTimeout(() => server.closeIdleConnections(), IDLE).unref();
      }
      net.Server.prototype.close.call(server, closed);
    }
  }
})();
