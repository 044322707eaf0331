// What a phone does, with every body and answer checked against the API's document.
import createClient from "openapi-fetch";

import type { components, paths } from "./api";

export type CheckIn = components["schemas"]["CheckInBody"];
export const aHardEvening: CheckIn = {
  id: "0c0a5e3a-4a1f-4a7b-9a64-3a51b6f6f9d1",
  kind: "daily",
  local_date: "2026-03-02",
  recorded_at: "2026-03-02T21:14:00-05:00",
  craving: 9,
  cues: ["payday"],
};

export type Problem = components["schemas"]["Problem"];

export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code);
  }
}

export function connect(address: string, token?: string) {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  return createClient<paths>({ baseUrl: address, headers });
}

export async function signIn(address: string, email: string, password: string) {
  const { data, error } = await connect(address).POST("/api/v1/sign-in", {
    body: { email, password },
  });
  if (error) throw new Refused(error);
  // Staff are told 202: their token comes from the second step.
  return data;
}

export async function secondStep(address: string, mfaToken: string, code: string) {
  const { data, error } = await connect(address).POST("/api/v1/sign-in/mfa", {
    body: { mfa_token: mfaToken, code },
  });
  if (error) throw new Refused(error);
  return data.token;
}

export async function sync(
  address: string,
  token: string,
  checkIns: CheckIn[],
  cursor: string | null,
) {
  const { data, error } = await connect(address, token).POST("/api/v1/sync", {
    params: { query: { country: "US" } },
    body: { changes: checkIns.map((item) => ({ type: "check_in" as const, op: "create" as const, item })), cursor },
  });
  if (error) throw new Refused(error);
  return data;
}

export type CopingStep = components["schemas"]["CopingStepBody"];
export const aWalk: CopingStep = {
  id: "00000021-0000-4000-8000-000000000021",
  words: "Call Maria, then walk to the river",
  cues: ["payday"],
};

// Steps and contacts travel with the check-ins; each change has its own answer, in this order.
export async function syncPlan(
  address: string,
  token: string,
  steps: CopingStep[],
  removedContacts: string[],
  cursor: string | null,
) {
  const { data, error } = await connect(address, token).POST("/api/v1/sync", {
    body: {
      changes: [
        ...steps.map((item) => ({ type: "coping_step" as const, op: "create" as const, item })),
        ...removedContacts.map((id) => ({
          type: "support_contact" as const,
          op: "withdraw" as const,
          id,
        })),
      ],
      cursor,
    },
  });
  if (error) throw new Refused(error);
  return data;
}

export async function amend(address: string, token: string, id: string, revision: number) {
  const { data, error } = await connect(address, token).PATCH("/api/v1/check-ins/{check_in_id}", {
    params: { path: { check_in_id: id }, header: { "If-Match": `"${revision}"` } },
    body: { mood: 5 },
  });
  if (error) throw new Refused(error);
  return data.check_in.revision;
}
