// Says what a JavaScript or TypeScript file exports: one line of JSON on a file descriptor of its
// own, because such files write to stdout. Runs under Node, Bun and Deno; see runtime.py.
//
//     node loader.mjs FILE FD
//
// The line is {"value", "lost", "version"}, or {"error": {"text", "line", "code"}, "version"}.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import vm from 'node:vm'

const [file, descriptor] = process.argv.slice(2)
const CALLS = 16 // functions that return functions, and promises of promises
const NOT_AN_ES_MODULE = /^(module|exports|require|__filename|__dirname) is not defined/
const IS_NODE = !process.versions.bun && !process.versions.deno

async function exported() {
  try {
    const found = await import(pathToFileURL(file).href)
    return found.default ?? found['module.exports'] ?? found
  } catch (error) {
    // A CommonJS file in a package of "type": "module", such as `pm2 init` writes.
    if (!NOT_AN_ES_MODULE.test(error?.message ?? '') || isModule()) throw error
    return asCommonJs()
  }
}

function isModule() {
  return /^\s*(import\s+[\w*{'"]|export\s+(default|const|let|var|function|async|class|\{|\*))/m.test(
    fs.readFileSync(file, 'utf8')
  )
}

function asCommonJs() {
  const source = fs.readFileSync(file, 'utf8').replace(/^\uFEFF?(#!.*)?/, '')
  const names = ['exports', 'require', 'module', '__filename', '__dirname']
  const importModuleDynamically = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER
  const module = { exports: {} }
  const run = vm.compileFunction(source, names, { filename: file, importModuleDynamically })
  run.call(module.exports, module.exports, createRequire(file), module, file, path.dirname(file))
  return module.exports
}

async function settled(value) {
  for (let calls = 0; calls < CALLS; calls++) {
    if (typeof value === 'function') value = value()
    else if (typeof value?.then === 'function') value = await value
    else if (value?.__esModule && value.default !== undefined) value = value.default
    else return value
  }
  throw new Error('functions return functions without end')
}

async function settledApps(value) {
  const config = await settled(value)
  const apps = config?.apps
  if (typeof apps !== 'function' && typeof apps?.then !== 'function') return config
  return { ...config, apps: await settled(apps) }
}

// JSON has no undefined: what is undefined was not given. What JSON cannot hold is listed by path.
function encoded(value, place, above, lost) {
  switch (typeof value) {
    case 'undefined':
      return undefined
    case 'bigint':
      return String(value)
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) }
    case 'function':
    case 'symbol':
      lost.push([place, typeof value])
      return undefined
  }
  if (value === null || typeof value !== 'object') return value
  if (value instanceof RegExp) return { $regex: value.source, $flags: value.flags }
  if (above.includes(value)) {
    lost.push([place, 'circle'])
    return undefined
  }
  return encodedObject(value, place, [...above, value], lost)
}

function encodedObject(value, place, above, lost) {
  if (typeof value.toJSON === 'function') return encoded(value.toJSON(), place, above, lost)
  if (value instanceof Set) value = [...value]
  if (Array.isArray(value)) {
    const items = value.map((item, index) => encoded(item, `${place}[${index}]`, above, lost))
    return items.filter((item) => item !== undefined)
  }
  const found = {}
  for (const [key, item] of value instanceof Map ? value : Object.entries(value)) {
    const kept = encoded(item, place ? `${place}.${key}` : String(key), above, lost)
    if (kept !== undefined) {
      // Not by assignment: __proto__ is a key like any other here.
      Object.defineProperty(found, key, { value: kept, enumerable: true, configurable: true })
    }
  }
  return found
}

function described(error) {
  error = error?.errors?.[0] ?? error // of several mistakes that Bun finds at once the first
  if (!(error instanceof Error) && typeof error?.message !== 'string') {
    return { text: `throws ${String(error)}`, line: null, code: null }
  }
  const text = `${error.name ?? 'Error'}: ${error.message.split('\n')[0]}`
  return { text, line: lineOf(error), code: error.code ?? null }
}

function lineOf(error) {
  if (error.position?.line) return error.position.line // Bun
  for (const name of [file, pathToFileURL(file).href]) {
    const at = `${error.stack}`.split('\n').find((line) => line.includes(`${name}:`))
    const found = at?.slice(at.indexOf(`${name}:`) + name.length).match(/^:(\d+)/)
    if (found) return Number(found[1])
  }
  if (error.name === 'SyntaxError' && IS_NODE) {
    // Node tells where only when it prints the error itself.
    const said = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr ?? ''
    const found = said.split('\n')[0].match(/:(\d+)$/)
    if (found && said.includes(path.basename(file))) return Number(found[1])
  }
  return null
}

function say(answer) {
  const version = IS_NODE ? process.versions.node : null
  const text = Buffer.from(`${JSON.stringify({ ...answer, version })}\n`)
  let out = Number(descriptor)
  try {
    fs.fstatSync(out)
  } catch {
    out = fs.openSync(`/dev/fd/${descriptor}`, 'w') // Deno numbers its files itself
  }
  for (let place = 0; place < text.length; ) place += fs.writeSync(out, text, place)
}

// A file that looks at its arguments sees none.
process.argv.splice(1, 3, fileURLToPath(import.meta.url))
let status = 0
try {
  const lost = []
  const value = encoded(await settledApps(await exported()), '', [], lost)
  say({ value: value ?? null, lost })
} catch (error) {
  say({ error: described(error) })
  status = 1
}
process.exit(status) // timers and connections of the file's own would keep it alive
