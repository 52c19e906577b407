// The types without an id of their own: parts of the object that they belong to, and lists, results and errors.
const VALUES = [
  ...["Agent", "Check", "Configuration", "Controller", "CpuCounts", "Efficiency", "Head", "Health"],
  ...["JobDependency", "JobOutput", "JobStateCount", "JobsEnded", "NodeStateCount", "PageInfo", "PriorityFactors"],
  ...["SnapshotAge", "Statistics", "TresPriority", "UserError"],
  ...["Account", "Association", "FairShare", "Job", "Node"].flatMap((type) => [`${type}Connection`, `${type}Edge`]),
  ...["CancelJobs", "HoldJobs", "ReleaseJobs", "RequeueJobs", "ResumeJobs", "SignalJobs", "SuspendJobs"]
    .concat("SubmitJob", "UpdateJob", "UpdateNode", "UpdateQueue")
    .concat("CreateReservation", "UpdateReservation", "DeleteReservation")
    .map((change) => `${change}Payload`),
];

// urql: cacheExchange({ keys })
export const keys = Object.fromEntries(VALUES.map((name) => [name, () => null]));

// Apollo Client: new InMemoryCache({ typePolicies })
export const typePolicies = Object.fromEntries(
  VALUES.map((name) => [name, { keyFields: false as const, merge: true }]),
);
