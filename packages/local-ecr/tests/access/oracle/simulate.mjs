// Asks iam-simulate about each line of standard input, and writes one letter for each answer.
// See README.md; the library is read from the folder that is given, and is no part of this project.

import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { join, resolve } from 'node:path'

const require = createRequire(join(resolve(process.argv[2]), 'package.json'))
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const LETTERS = { Allowed: 'A', ExplicitlyDenied: 'D', ImplicitlyDenied: 'I' }
const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }
const OPEN = [{ orgIdentifier: 'o-1', policies: [{ name: 'all', policy: EVERYTHING }] }]

let column = 0
for await (const line of createInterface({ input: process.stdin })) {
  const pair = JSON.parse(line)
  const answer = await runSimulation(
    {
      request: {
        principal: pair.principal,
        action: pair.action,
        resource: { resource: pair.resource, accountId: pair.owner },
        contextVariables: pair.context,
      },
      identityPolicies: pair.identity.map((policy, index) => ({ name: `P${index}`, policy })),
      serviceControlPolicies: OPEN,
      resourceControlPolicies: [],
      resourcePolicy: pair.policy ?? undefined,
      permissionBoundaryPolicies: pair.boundary ? [{ name: 'B', policy: pair.boundary }] : undefined,
    },
    {},
  )
  const ignored = answer.result?.ignoredContextKeys ?? []
  if (answer.resultType !== 'single' || ignored.length > 0) {
    throw new Error(`${JSON.stringify({ errors: answer.errors, ignored })} for ${line}`)
  }
  process.stdout.write(LETTERS[answer.overallResult])
  if (++column % 100 === 0) process.stdout.write('\n')
}
