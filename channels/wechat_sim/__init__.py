"""A stand-in for the WeChat platform, for tests and for trying the channel without an account.

It knows nothing of Zhike: it signs, encrypts, delivers, counts and refuses as the platform's description says.
"""

from channels.wechat_sim.chances import Chances
from channels.wechat_sim.crypto import new_aes_key
from channels.wechat_sim.delivery import Delivery, Mode, Outcome
from channels.wechat_sim.platform import Platform
from channels.wechat_sim.users import How, Line, User

__all__ = ["Chances", "Delivery", "How", "Line", "Mode", "Outcome", "Platform", "User", "new_aes_key"]
