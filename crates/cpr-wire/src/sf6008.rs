//! SF6008 `CPRBasicInformationService` 1: four operations on one number.

/// The namespace of requests and answers.
pub const NAMESPACE: &str = "http://serviceplatformen.dk/xml/wsdl/soap11/CPRBasicInformationService/1/";

/// One of the four operations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// `callCPRBasicInformation`.
    Basic,
    /// `callCPRBasicInformationExtended`: with the parts of the name.
    Extended,
    /// `callCPRBasicInformationList`: none instead of a fault for an unknown number.
    List,
    /// `callCPRBasicInformationExtendedList`.
    ExtendedList,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 4] = [Operation::Basic, Operation::Extended, Operation::List, Operation::ExtendedList];

    /// True for the operations that tell the parts of the name.
    pub fn is_extended(self) -> bool {
        matches!(self, Operation::Extended | Operation::ExtendedList)
    }

    /// The name, the root of its request and the root of its answer.
    fn names(self) -> [&'static str; 3] {
        match self {
            Operation::Basic => {
                ["callCPRBasicInformationService", "callCPRBasicInformationRequest", "callCPRBasicInformationResponse"]
            }
            Operation::Extended => [
                "callCPRBasicInformationServiceExtended",
                "callCPRBasicInformationExtendedRequest",
                "callCPRBasicInformationExtendedResponse",
            ],
            Operation::List => [
                "callCPRBasicInformationServiceList",
                "callCPRBasicInformationListRequest",
                "callCPRBasicInformationListResponse",
            ],
            Operation::ExtendedList => [
                "callCPRBasicInformationServiceExtendedList",
                "callCPRBasicInformationExtendedListRequest",
                "callCPRBasicInformationExtendedListResponse",
            ],
        }
    }

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        self.names()[0]
    }

    /// The root of the answer.
    pub fn answer(self) -> &'static str {
        self.names()[2]
    }

    /// The operation whose request has this root.
    pub(crate) fn of_request(root: &str) -> Option<Operation> {
        Operation::ALL.into_iter().find(|operation| operation.names()[1] == root)
    }
}
