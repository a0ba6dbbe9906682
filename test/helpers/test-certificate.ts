import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChecked } from './run-checked.js';

/** A certificate authority of two days, and certificates that it has signed. Paths, and the authority as PEM. */
export interface TestCertificates {
  readonly ca: string;
  readonly caPath: string;
  /** For servers at 127.0.0.1 and localhost. */
  readonly server: { readonly certificate: string; readonly key: string };
  /** For clients. */
  readonly client: { readonly certificate: string; readonly key: string };
}

/** Makes them in `directory`. */
export async function makeTestCertificates(directory: string): Promise<TestCertificates> {
  const at = (name: string): string => join(directory, name);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await runChecked('openssl', [
    ...['req', '-x509', ...curve, '-days', '2', '-subj', '/CN=test authority'],
    ...['-keyout', at('ca.key'), '-out', at('ca.pem')],
  ]);
  const sign = async (name: string, usage: string): Promise<{ certificate: string; key: string }> => {
    await runChecked('openssl', [
      ...['req', '-x509', ...curve, '-days', '2', '-subj', `/CN=${name}`, '-CA', at('ca.pem'), '-CAkey', at('ca.key')],
      ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-addext', `extendedKeyUsage=${usage}`],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)],
    ]);
    return { certificate: at(`${name}.pem`), key: at(`${name}.key`) };
  };
  return {
    ca: await readFile(at('ca.pem'), 'utf8'),
    caPath: at('ca.pem'),
    server: await sign('server', 'serverAuth'),
    client: await sign('client', 'clientAuth'),
  };
}
