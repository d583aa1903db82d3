import PrivacyMechanisms
import PrivateTraining
import Requirements

/// Whose the examples are, for a promise to each user.
///
///     {"owners": "user_id", "examplesPerUser": 4}
struct UserConfiguration: Codable, Hashable, Sendable {
    /// A column of the CSV file, or a file with a line or a whole number for each example.
    var owners: String
    /// The most examples of a user that one step takes the mean of; nil for 1.
    var examplesPerUser: Int?

    init(owners: String, examplesPerUser: Int? = nil) {
        self.owners = owners
        self.examplesPerUser = examplesPerUser
    }

    private enum CodingKeys: CodingKey, CaseIterable {
        case owners, examplesPerUser
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        owners = try box.decode(String.self, forKey: .owners)
        examplesPerUser = try box.decodeIfPresent(Int.self, forKey: .examplesPerUser)
    }
}

extension PlanRequest {
    /// Makes users what the plan protects: Poisson sampling of the owners of the examples, or what
    /// ``CorrelatedSampling`` says, with `expectedBatchSize` the expected number of users in a batch.
    ///
    /// Throws ``PlanError/outOfRange(name:value:allowed:)`` for a batch larger than the number of users, and
    /// `PrivacyMechanismError` for a number of examples below 1.
    mutating func protectUsers(_ users: UserConfiguration, owners: [String]) throws {
        let userCount = Set(owners).count
        let size = expectedBatchSize ?? .nan
        guard size > 0, size <= Double(userCount) else {
            throw PlanError.outOfRange(
                name: "expectedBatchSize", value: "\(size)",
                allowed: "above 0 and at most the number of users, \(userCount)")
        }
        let correlated = CorrelatedSampling(for: noise, unitCount: userCount, expectedBatchSize: size)
        sampling = .user(
            try UserSampler(owners: owners, examplesPerUser: users.examplesPerUser ?? 1) {
                (count) throws(PrivacyMechanismError) in
                if let correlated { return correlated.scheme }
                return .poisson(
                    try PoissonSampler(exampleCount: count, samplingProbability: size / Double(userCount)))
            })
        expectedBatchSize = nil
        unit = .user
    }
}
