// A server that knows of no supervisor: a port, and nothing for its end.
const { existsSync } = require('node:fs')
const { createServer } = require('node:http')

if (existsSync('broken')) process.exit(7)

createServer((request, response) => {
  setTimeout(() => response.end('ok'), 20)
}).listen(Number(process.env.PORT))
