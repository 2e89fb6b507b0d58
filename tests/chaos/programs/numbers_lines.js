// The same as numbers_lines.py, and a server on a port that it opens itself.
const { appendFileSync } = require('node:fs');
const { createServer } = require('node:http');
const [folder, name] = process.argv.slice(2);
const id = `${process.pid}-${process.hrtime.bigint()}`;
const file = `${folder}/chaos.${name}.${id}`;
let count = 0;
function say() {
  count += 1;
  const line = `chaos ${name} ${id} ${count} end\n`;
  process.stdout.write(line, (error) => error || appendFileSync(file, line));
}
process.on('SIGHUP', () => {});
process.on('SIGUSR1', () => {});
createServer((request, response) => response.end('here\n')).listen(+process.env.PORT, '127.0.0.1', () => {
  setInterval(say, 200);
});
setTimeout(() => process.exit(0), 600000).unref();
