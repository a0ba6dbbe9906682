import { type LaunchPlan, type PlanOperation, planStages } from './launch-plan.js';
import { namespaceFlags, operationTable, type WireValue } from './operation-table.js';
import { WireWriter } from './wire-writer.js';

/** Version of the wire format; the shim refuses any other. */
export const PLAN_VERSION = 1;

/**
 * The plan as the shim reads it; the format is described in native/src/plan.h.
 *
 * @throws EngineError `INVALID_OPTION` for a text with a NUL in it, `TOO_LARGE` for a plan above `limits.planBytes`.
 */
export function encodePlan(plan: LaunchPlan): Buffer {
  const writer = new WireWriter();
  writer
    .u32(MAGIC)
    .u16(PLAN_VERSION)
    .u16(plan.sharesMemory === true ? SHARES_MEMORY : 0);
  const sizeAt = writer.size;
  writer.u32(0).u32(namespaceFlags(plan.namespaces));
  for (const stage of planStages) {
    writer.u32(plan[stage].length);
    for (const operation of plan[stage]) encodeOperation(writer, operation);
  }
  return writer.patchU32(sizeAt, writer.size).toBytes();
}

/** Flags of the plan. */
const SHARES_MEMORY = 1;

/** "TSCP" */
const MAGIC = 0x50435354;

function encodeOperation(writer: WireWriter, operation: PlanOperation): void {
  const row = operationTable[operation.op];
  writer.u16(row.code).u16(0);
  const sizeAt = writer.size;
  writer.u32(0);
  // Each row takes the operation of its own name: the table is indexed by it.
  const values = (row.values as (operation: PlanOperation) => readonly WireValue[])(operation);
  for (const value of values) encodeValue(writer, value);
  writer.patchU32(sizeAt, writer.size - sizeAt - 4);
}

function encodeValue(writer: WireWriter, value: WireValue): void {
  switch (value[0]) {
    case 'u':
      writer.u32(value[1]);
      break;
    case 'q':
      writer.u64(value[1]);
      break;
    case 's':
      writer.string(value[1]);
      break;
    case 'b':
      writer.bytes(value[1]);
      break;
    case 'l':
      writer.list(value[1]);
      break;
  }
}
