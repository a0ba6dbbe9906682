import assert from 'node:assert/strict';
import { EngineError, type ErrorCode, type ErrorData } from 'tscontainer';

/** The error that `work` must end with: of this class, with this code, and with data that JSON can carry. */
export async function rejection<Code extends ErrorCode>(
  work: Promise<unknown>,
  code: Code,
): Promise<EngineError<Code> & { readonly data: ErrorData[Code] }> {
  const error = await work.then(
    () => assert.fail(`it must fail with ${code}`),
    (reason: unknown) => reason,
  );
  if (!EngineError.is(error)) throw error;
  assert.equal(error.code, code, `${error.code}: ${error.message}`);
  assert.deepEqual(error.cleanupErrors, [], 'clean-up has failed too');
  assert.doesNotThrow(() => JSON.stringify(error));
  return error as EngineError<Code>;
}
