// Figures that nobody looks at.
import type { ClientStats, ServiceStats } from '../../proxy-client/telemetry/stats.ts'

const nothing = (): void => {}

export const noStats: ClientStats & ServiceStats = {
  began: nothing,
  ended: nothing,
  retried: nothing,
  budgetExhausted: nothing,
  requeued: nothing,
  requeueBudgetExhausted: nothing,
  removed: nothing,
  probed: nothing,
  revived: nothing,
}
