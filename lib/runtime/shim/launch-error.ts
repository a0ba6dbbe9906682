import { EngineError } from '../../core/errors/engine-error.js';
import { errnoName } from '../../core/errors/errno-name.js';
import { type LaunchPlan, type PlanOperation, planStages } from '../launch-plan.js';
import type { ShimFailure } from './frames.js';
import { launchHint } from './launch-hint.js';

/** The typed error of a plan that failed: the only place that knows what a step's failure means to a user. */
export function launchError(plan: LaunchPlan, failure: ShimFailure): EngineError {
  const stage = planStages[failure.section] ?? 'prepare';
  const operation = plan[stage][failure.index];
  const errno = errnoName(failure.errno);
  if (failure.syscall === 'execve' && operation?.op === 'execute')
    return executeError(operation.arguments[0] ?? '', errno);
  if (failure.syscall === 'execve' && operation?.op === 'find-program') return executeError(operation.program, errno);
  if (failure.syscall === 'user' && (operation?.op === 'named-identity' || operation?.op === 'delegate')) {
    return new EngineError('NO_SUCH_USER', { user: operation.user, reason: failure.operand });
  }
  if (operation?.op === 'reserve-port' && errno === 'EADDRINUSE') {
    return new EngineError('PORT_TAKEN', {
      address: operation.address,
      port: operation.port,
      protocol: operation.protocol,
    });
  }
  // For namespaces ENOSPC is a limit of their number; everywhere else it is the disk.
  if (errno === 'ENOSPC' && !['clone3', 'clone', 'unshare'].includes(failure.syscall)) {
    return new EngineError('NO_SPACE', { path: failure.operand });
  }
  const name = operation?.op ?? 'start';
  return new EngineError('LAUNCH_FAILED', {
    stage,
    operation: name === failure.syscall ? name : `${name}: ${failure.syscall}`,
    errno,
    operand: operand(operation, failure.operand),
    hint: launchHint({ operation: operation?.op, syscall: failure.syscall, errno, operand: failure.operand }),
  });
}

function executeError(program: string, errno: string): EngineError {
  return errno === 'ENOENT' || errno === 'ENOTDIR'
    ? new EngineError('PROGRAM_NOT_FOUND', { program, exitCode: 127 })
    : new EngineError('PROGRAM_NOT_EXECUTABLE', { program, errno, exitCode: 126 });
}

/** Netlink messages come back by number; the plan knows their names. */
function operand(operation: PlanOperation | undefined, text: string): string {
  const message = /message (\d+)$/.exec(text);
  if (operation?.op !== 'netlink' || message === null) return text;
  return operation.labels[Number(message[1])] ?? text;
}
