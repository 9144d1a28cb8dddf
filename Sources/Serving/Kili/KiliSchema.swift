import Basics
import Foundation

/// The part of Kili's platform that fettle has, by the platform's own names: clients hold their requests against it.
enum KiliSchema {
  static let schema: GraphQLSchema = {
    do {
      return try GraphQLSchema(text)
    } catch {
      preconditionFailure("the schema is none: \(error)")
    }
  }()

  /// Clients keep a schema under its version.
  static let version: String = {
    var hash = SHA256()
    hash.update(Data(text.utf8))
    return "fettle-" + hash.finalize().hexadecimal.prefix(12)
  }()

  private static let text = """
    scalar PageSize
    scalar JSON

    type Query {
      viewer: User!
      apiKeys(where: ApiKeyWhere!, first: PageSize!, skip: Int!): [ApiKey!]!
      organizations(where: OrganizationWhere!, first: PageSize!, skip: Int!): [Organization!]!
      countOrganizations(where: OrganizationWhere!): Int!
      projects(where: ProjectWhere!, first: PageSize!, skip: Int!): [Project!]!
      countProjects(where: ProjectWhere!): Int!
      filterExistingAssets(projectID: ID!, externalIDs: [String!]!): [String!]!
      createUploadBucketSignedUrls(filePaths: [String!]): [String!]!
      assets(where: AssetWhere!, first: PageSize!, skip: Int!): [Asset!]!
      countAssets(where: AssetWhere!): Int!
      labels(where: LabelWhere!, first: PageSize!, skip: Int!): [Label!]!
      countLabels(where: LabelWhere!): Int!
    }

    type Mutation {
      createProject(data: CreateProjectData!): Project!
      appendManyAssets(data: AppendManyAssetsData!, where: ProjectWhere!): [Asset!]!
      appendManyLabels(data: AppendManyLabelsData!, where: AssetWhere!): [Label!]!
    }

    type User { id: ID! email: String! firstname: String lastname: String }
    type ApiKey { id: ID! expiryDate: String }
    type License { uploadLocalData: Boolean! }
    type Organization { id: ID! name: String license: License! }
    type DataConnection { id: ID! }
    type ProjectUser { id: ID! role: String user: User! }

    "A data set of the workspace, with an interface of its own."
    type Project {
      id: ID! title: String description: String inputType: String! jsonInterface: String archived: Boolean
      dataConnections: [DataConnection!] geospatialSettings: JSON workflowVersion: String
      numberOfAssets: Int consensusMark: Float consensusTotCoverage: Int minConsensusSize: Int reviewCoverage: Int
      roles: [ProjectUser!]
    }

    type Resolution { height: Float width: Float }
    type PageResolution { pageNumber: Int height: Float width: Float rotation: Int }

    type Asset {
      id: ID! externalId: String content: String jsonContent: String jsonMetadata: String status: String
      pageResolutions: [PageResolution!] resolution: Resolution createdAt: String isHoneypot: Boolean
      skipped: Boolean
      "The newest of the DEFAULT labels."
      latestLabel: Label
      latestLabels: [Label!] labels: [Label!]!
      "The IoU of the newest INFERENCE label and the DEFAULT labels; null where either is missing."
      inferenceMark: Float
      "The IoU of the DEFAULT labels; null for fewer than two."
      consensusMark: Float
      honeypotMark: Float project: Project
    }

    type Label {
      id: ID! assetId: ID author: User createdAt: String labelType: String modelName: String jsonResponse: String
      jsonResponseUrl: String isLatestLabelForUser: Boolean isLastForStep: Boolean isSentBackToQueue: Boolean
      secondsToLabel: Float inferenceMark: Float consensusMark: Float honeypotMark: Float labelOf: Asset
    }

    input ApiKeyWhere { user: JSON key: String apiKeyLast4: String }
    input UserWhere { id: ID email: String }
    input OrganizationWhere { id: ID user: UserWhere }
    input ProjectWhere {
      id: ID idIn: [ID!] searchQuery: String shouldRelaunchKpiComputation: Boolean starred: Boolean
      updatedAtGte: String updatedAtLte: String createdAtGte: String createdAtLte: String organizationId: ID
      tagIds: [ID!] deleted: Boolean archived: Boolean
    }
    input IssueWhere { type: String status: String }
    input LabelInAssetWhere {
      typeIn: [String!] authorIn: [String!] consensusMarkGte: Float consensusMarkLte: Float createdAt: String
      createdAtGte: String createdAtLte: String honeypotMarkGte: Float honeypotMarkLte: Float search: String
      labelerIn: [ID!] labelerNotIn: [ID!] reviewerIn: [ID!] reviewerNotIn: [ID!]
    }
    input AssetWhere {
      id: ID project: ProjectWhere externalIdStrictlyIn: [String!] externalIdIn: [String!] statusIn: [String!]
      consensusMarkGte: Float consensusMarkLte: Float honeypotMarkGte: Float honeypotMarkLte: Float idIn: [ID!]
      idNotIn: [ID!] metadata: JSON assigneeIn: [ID!] assigneeNotIn: [ID!] label: LabelInAssetWhere
      skipped: Boolean updatedAtGte: String updatedAtLte: String createdAtGte: String createdAtLte: String
      inferenceMarkGte: Float inferenceMarkLte: Float issue: IssueWhere stepIdIn: [ID!] stepIdNotIn: [ID!]
      stepStatusIn: [String!] stepStatusNotIn: [String!] stepIdAndStatusIn: JSON stepIdAndStatusNotIn: JSON
      groupNameIn: [String!] groupNameNotIn: [String!]
    }
    input LabelWhere {
      asset: AssetWhere authorIn: [String!] consensusMarkGte: Float consensusMarkLte: Float createdAt: String
      createdAtGte: String createdAtLte: String honeypotMarkGte: Float honeypotMarkLte: Float id: ID idIn: [ID!]
      labelerIn: [ID!] project: ProjectWhere reviewerIn: [ID!] search: String typeIn: [String!] user: JSON
    }
    input CreateProjectData {
      title: String! description: String inputType: String jsonInterface: String fromDemoProject: String
      complianceTags: [String!] pixelLabeling: Boolean
    }
    input AppendManyAssetsData {
      contentArray: [String!] externalIDArray: [String!] idArray: [ID!] isHoneypotArray: [Boolean!]
      jsonContentArray: [String!] jsonMetadataArray: [String!] multiLayerContentArray: JSON
    }
    input AppendLabelData {
      assetID: ID! authorID: ID clientVersion: Int jsonResponse: String! modelName: String referencedLabelId: ID
      secondsToLabel: Float
    }
    input AppendManyLabelsData {
      labelType: String! stepName: String stepId: ID overwrite: Boolean labelsData: [AppendLabelData!]!
    }
    """
}
