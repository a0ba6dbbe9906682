import { spawn } from 'node:child_process';
import { decodeJson, record, text } from '../../core/decode.js';
import { EngineError } from '../../core/errors/engine-error.js';
import { limits } from '../../core/limits.js';
import type { Credential } from '../credential-source.js';

export interface CredentialHelper {
  /** `desktop` for the program `docker-credential-desktop`. */
  readonly name: string;
  /** The helper's environment; its PATH is searched for the helper. Default: that of this process. */
  readonly environment: Readonly<Record<string, string>> | undefined;
  readonly timeoutMs: number;
}

/**
 * Asks a credential helper for the credential of `server`; undefined when it says that it has none.
 *
 * @param registry names the registry in errors.
 * @throws EngineError `CREDENTIALS_FAILED` for everything else than an answer.
 * @see docker-credential-helpers, "Development"
 */
export async function runCredentialHelper(
  helper: CredentialHelper,
  server: string,
  registry: string,
): Promise<Credential | undefined> {
  const { code, output, failed } = await ask(helper, 'get', server, registry);
  if (code === 0) return toCredential(output, failed);
  if (isNotFound(output)) return undefined;
  throw failed(whyEnded(code, output));
}

/**
 * Has a credential helper store the credential of `server`.
 *
 * @throws EngineError `CREDENTIALS_FAILED` unless it has done so.
 */
export async function storeByHelper(
  helper: CredentialHelper,
  server: string,
  credential: Credential,
  registry: string,
): Promise<void> {
  const [username, secret] =
    credential.kind === 'basic' ? [credential.username, credential.password] : ['<token>', credential.token];
  const message = JSON.stringify({ ServerURL: server, Username: username, Secret: secret });
  const { code, output, failed } = await ask(helper, 'store', message, registry);
  if (code !== 0) throw failed(whyEnded(code, secret === '' ? output : output.replaceAll(secret, '***')));
}

/** Has a credential helper forget the credential of `server`; false when it had none. @throws EngineError `CREDENTIALS_FAILED`. */
export async function eraseByHelper(helper: CredentialHelper, server: string, registry: string): Promise<boolean> {
  const { code, output, failed } = await ask(helper, 'erase', server, registry);
  if (code === 0) return true;
  if (isNotFound(output)) return false;
  throw failed(whyEnded(code, output));
}

const isNotFound = (output: string): boolean => /credentials not found/i.test(output);

function whyEnded(code: number | string, output: string): string {
  const said = output.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  return `it ended with ${code}${said === '' ? '' : `: ${said.slice(0, 200)}`}`;
}

type Failed = (reason: string, cause?: unknown) => EngineError;

async function ask(
  helper: CredentialHelper,
  verb: 'get' | 'store' | 'erase',
  message: string,
  registry: string,
): Promise<{ readonly code: number | string; readonly output: string; readonly failed: Failed }> {
  const program = `docker-credential-${helper.name}`;
  const failed: Failed = (reason, cause) =>
    new EngineError('CREDENTIALS_FAILED', { registry, source: program.slice(0, 100), reason }, { cause });
  // The name is part of a program's name, so it must not lead to another directory.
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(helper.name)) throw failed('this is no name of a helper');
  return { ...(await exchange(program, verb, helper, message, failed)), failed };
}

/** What a helper has printed is read to the end within this time after it has ended. */
const drainMs = 1000;

const helperAnswer = record({ Username: text, Secret: text });

function toCredential(output: string, failed: (reason: string) => EngineError): Credential {
  let answer: ReturnType<typeof helperAnswer>;
  try {
    answer = decodeJson(output, helperAnswer, 'answer');
  } catch (error) {
    throw failed(error instanceof Error ? error.message : 'its answer is unreadable');
  }
  return answer.Username === '<token>'
    ? { kind: 'identity-token', token: answer.Secret }
    : { kind: 'basic', username: answer.Username, password: answer.Secret };
}

function exchange(
  program: string,
  verb: 'get' | 'store' | 'erase',
  { environment, timeoutMs }: CredentialHelper,
  message: string,
  failed: (reason: string, cause?: unknown) => EngineError,
): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [verb], {
      stdio: ['pipe', 'pipe', 'ignore'],
      ...(environment !== undefined && { env: { ...environment } }),
    });
    // Without a reader the pipe is closed, so that programs which the helper has started cannot hold this up.
    const stop = (): void => {
      child.kill('SIGKILL');
      child.stdout.destroy();
    };
    let timer = setTimeout(stop, timeoutMs);
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= limits.credentialBytes) chunks.push(chunk);
      else stop();
    });
    child.stdin.on('error', () => undefined); // a helper that has ended before it read tells so by its exit code
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(failed(`it cannot be run: ${cause.message}`, cause));
    });
    child.once('exit', () => {
      clearTimeout(timer);
      timer = setTimeout(stop, drainMs);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (size > limits.credentialBytes) reject(failed(`it printed more than ${limits.credentialBytes} bytes`));
      else resolve({ code: code ?? signal ?? 'unknown', output: Buffer.concat(chunks).toString('utf8') });
    });
    child.stdin.end(message);
  });
}
