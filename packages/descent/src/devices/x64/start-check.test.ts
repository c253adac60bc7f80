import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDevice } from '../../doctor/check-device.ts'
import type { Device } from '../device.ts'
import { testedDevices } from '../tested.ts'
import { startCheck } from './start-check.ts'

for (const { name, skip, open } of testedDevices) {
  test(`${name}: right results pass`, { skip }, () => {
    assert.equal(startCheck(open()), null)
    assert.equal(checkDevice(open()), null)
  })

  test(`${name}: one wrong element is found`, { skip }, () => {
    assert.match(startCheck(but(open(), { wrong: 2 })) ?? '', /^a sum of exponentials is \S+ instead of \S+$/)
    for (const wrong of [0, 6, 20, 132]) {
      assert.match(checkDevice(but(open(), { wrong })) ?? '', new RegExp(`element ${wrong} is \\S+ instead of \\S+$`))
    }
  })

  test(`${name}: a failed check that goes unnoticed is found`, { skip }, () => {
    for (const check of [startCheck, checkDevice]) {
      assert.equal(check(but(open(), { deaf: true })), 'an index that is out of range goes unnoticed')
    }
  })
}

/** The device, but element `wrong` of what is read is a bit too large; or, `deaf`, no failed check is reported. */
function but(device: Device, { wrong, deaf = false }: { readonly wrong?: number; readonly deaf?: boolean }): Device {
  return {
    name: device.name,
    allocate: (dtype, length) => device.allocate(dtype, length),
    adopt: (dtype, values) => device.adopt(dtype, values),
    write: (storage, start, values) => device.write(storage, start, values),
    read(storage, start, length) {
      const values = device.read(storage, start, length)
      if (wrong !== undefined && wrong < values.length) values[wrong] = 1.001 * (values[wrong] as number) + 0.001
      return values
    },
    prepare(plan) {
      const runner = device.prepare(plan)
      return {
        listing: () => runner.listing(),
        run(args) {
          try {
            runner.run(args)
          } catch (error) {
            if (!deaf) throw error
          }
        },
      }
    },
  }
}
